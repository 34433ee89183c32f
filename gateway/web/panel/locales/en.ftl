# The panel. Words shared with the tour pages stand in shared/locales.

tab-overview = Overview
tab-devices = Devices
tab-inspections = Inspection
tab-plan = Plan
tab-faults = Faults
tab-ledger = Ledger
pages = pages
planned-so-far = { $n } min planned so far
server-silent = The gateway does not answer: this is the line at { $time }
why = Why
close = Close
at-least = at least
too-little-seen = under { $least } % was seen: no value

stations = Stations
station = Station
ribbon-note = last 4 hours; each state lies at the height of its lamp
state-and-cause = State and cause
since-column = Since
coverage-column = coverage
coverage-title = Coverage
cycle = Cycle
made = { $good } good · { $scrap } scrap
last-seen = last seen: { $state }
waits-starved = upstream { $machine }: { $state }
waits-blocked = downstream { $machine }: { $state }

faults = Faults
faults-open = { $n } open
no-faults = No open fault
fault-history = History
fault-set = set
fault-cleared = cleared
nothing-yet = Nothing recorded yet
fault-not_connected = not connected
fault-untrusted = server not trusted
fault-misconfigured = misconfigured
fault-internal = internal error
fault-suspect_counter = suspect counter
fault-not_durable = not on disk
fault-salvaged = ledger salvaged
fault-store_filling = storage fills up
fault-unsynchronised = gateway clock not set
fault-policy_unavailable = scheduling model unavailable
fault-image_unreadable = picture unreadable
fault-model_failed = inspection model failed
fault-evidence_not_kept = pictures not kept
fault-refused = broker refuses a topic
fault-records_refused = broker refuses records
fault-bad_order = order not taken

collecting = Links and uplink
links-up = { $up } of { $all } links up
slowest = slowest { $ms } ms
silent = silent { $span }
never-read = never read
reconnects = reconnected { $n } times, trying again
acknowledged = { $sink } confirmed to seq { $seq }
waiting = { $n } waiting
durable = on disk
not-durable = not on disk
sink-mqtt = MQTT
sink-sparkplug = Sparkplug
sink-consumer = Consumer { $name }
driver-opcua = OPC UA
driver-modbus = Modbus

inspection = Casting inspection
no-parts-yet = No part inspected yet
part = part { $unit }
score = score { $score }
model = model { $digest }
no-picture = picture not kept
heat-map-of = picture and heat map of part { $unit }
parts-note = last 24 parts; score 0 good, 1 bad
counted-pass = pass
counted-reject = reject
counted-ask = for a person
defect-blowhole = blowhole
defect-crack = crack
defect-flash = flash
defect-misrun = misrun
defect-unfamiliar = unfamiliar look
defect-unreadable = unreadable
defect-not_judged = not judged

next = Next
advice = advice, not control
no-jobs = No job planned
order-of = order { $order }
setup = setup { $span }
rung-policy = proposed by model { $model }, checked independently
rung-rules = proposed by rules, checked independently
planned = planned { $span } ago
late-jobs = { $n } late
setup-share = setup { $share } %
job-rush = rush order, before { $over }
job-same_family = same family, no setup: saves { $saves } over { $over }
job-ready_first = ready { $saves } before { $over }
job-due_first = due before { $over }
job-shortest = { $saves } shorter than { $over }
job-preferred = better overall than { $over }
job-only_choice = nothing else can run now

read-only = read only: the gateway never writes to a machine
tag = Tag
value = Value
quality = Quality
source-time = Source time
age = Age
latency = Latency
batches = Batches
reconnect-count = Reconnects
speed = clock runs { $n }x
quality-good = good
quality-uncertain = uncertain
quality-bad = bad

ledger-note = first on disk, then told
committed = Committed
on-disk = Storage
ledger-id = Ledger
time = Time
kind = Kind
content = Content
kind-state = state
kind-count = count
kind-inspection = inspection
kind-plan = plan
kind-kpi = figure
kind-fault = fault
kind-gap = gap
kind-order = order
kind-audit = audit
counter-good = good
counter-scrap = scrap
counter-rework = reworked
counter-energy = energy, kWh

definition = Definition
window = Window
division = Numerator ÷ denominator
bounds = Bounds
revision = Revision
as-of = as of { $time }
parts-of-division = from what was seen only; unseen time is in neither
covered = { $all } due, { $seen } seen, { $unseen } not seen
bounds-mean = all unseen time counted bad, to all counted good
no-bounds = no bounds for this figure: its coverage tells
open-window = open window, computed anew at each commit
closed-window = closed window, a correction is a new revision
define-utilization = share of the observed planned time in which machines were executing
define-first_pass_yield = share of good parts among those the PLC judged; parts for a person are not in it
define-takt = observed planned time per part, the mean
define-good = good parts by the PLC of the last station, beside what planned time would give at takt
define-scrap = scrap parts by the PLC

# A machine's page
no-such-machine = No machine { $name }
station-number = station { $n }
tags-of = { $n } tags
not-now = last seen, not as it is now
day-states = State in 24 hours
day-note = each state lies at the height of its lamp; hatched was not seen; dotted was not planned
lane-stopped = Stopped
lane-waiting = Waiting
lane-executing = Running
lane-changeover = Setup
lane-idle = Idle
until-column = Until
time-by-state = Time by state
planned-time = { $span } planned
stops = Standstill
stops-note = by cause, longest first; what was not seen is no stop
no-stops = It has not stood still in this window
minutes-note = minutes:seconds of planned time
times = { $n } ×
cycle-spread = Cycles
cycles-note = { $n } seen · bars of { $step } s
no-cycles = No cycle seen in this window
cycles-rule = Cycles of unseen time are not filled in, not guessed, and not counted as on target.
median = Median
slower-than = slower than { $target } s
not-seen = Not seen
number-unknown = number unknown
trends = Trends
trends-note = hatched: no sample, the line is broken
no-trends = This machine has no measured values
last-value = last { $time }
recent-records = Recent records

# Records in words
note-baseline = first reading
note-wrap = counter wrapped
note-reset = counter reset
note-restart = counted over a restart
note-suspect = suspect
note-late = made unseen
plan-jobs = { $n } jobs
revision-of = revision { $n }
gap-parts = { $low } to { $high } parts uncertain
gap-not_connected = not connected
gap-untrusted = server not trusted
gap-misconfigured = misconfigured
gap-internal = internal error
gap-closed = link closed
gap-agent_down = gateway was down
gap-reset = counter reset
gap-restart = counter restarted
gap-wrap = counter wrapped
gap-clock_set_back = clock set back
gap-store_full = storage full
gap-open = still open
order-quantity = product { $product } × { $n }
order-back = taken back
order-due = due { $time }
order-rush = rush
audit-start = gateway started
audit-sink_removed = sink removed

# A figure taken apart
made-of = Made of
reading = reading the ledger …
counted-stopped = stops
counted-micro-stop = micro-stops
part-both = above and below
part-above = above
part-below = below
part-none = in neither
planned-row = planned time ÷ takt
counter-good-late = good, made unseen
counter-scrap-late = scrap, made unseen
counter-rework-late = reworked, made unseen
counter-energy-late = energy, kWh, unseen
sums-agree = Sum of these records: { $numerator } ÷ { $denominator }, as the figure says
sums-differ = Sum of these records: { $numerator } ÷ { $denominator }. It differs from the figure.
earlier-entries = { $n } earlier records
gaps = Gaps
gap-count = { $n }
no-gaps = no gap in this window
samples = Samples
choose-entry = Open a row above and choose a record.
no-samples = no sample is kept of this time
held-before = held from before
more-samples = { $n } more
register = Register
read-only-short = read only
define-availability = share of the observed planned time in which the machine was executing
refused = The gateway turns this page away for now and will be asked again
samples-cut = of a long stretch, the samples of its first hour

# Figures of the shift
kpi-utilization_calendar = Utilization of calendar time
kpi-utilization_calendar-of = executing, breaks too ÷ observed calendar time
kpi-availability = Availability
kpi-availability-of = executing ÷ observed planned time
kpi-effectiveness = Effectiveness
kpi-effectiveness-of = takt × parts ÷ executing time
kpi-quality_ratio = Quality ratio
kpi-quality_ratio-of = good ÷ made, seen
kpi-oee = OEE
kpi-oee-of = takt × good ÷ observed planned time
kpi-rolled_throughput_yield = Rolled throughput yield
kpi-rolled_throughput_yield-of = all stations' yields multiplied
kpi-scrap_ratio = Scrap ratio
kpi-scrap_ratio-of = scrap ÷ judged
kpi-rework_ratio = Rework ratio
kpi-rework_ratio-of = reworked ÷ judged
kpi-wip_change = Work in process, change
kpi-wip_change-of = entered − left
kpi-energy_per_part = Energy per good part
kpi-energy_per_part-of = energy ÷ good
kpi-mtbf = Time between stops
kpi-mtbf-of = executing time ÷ stops
kpi-mttr = Time to restore
kpi-mttr-of = stopped time ÷ stops
kpi-changeover_ratio = Setup share
kpi-changeover_ratio-of = setup ÷ observed planned time
kpi-starved_ratio = Starved share
kpi-starved_ratio-of = starved ÷ observed planned time
kpi-blocked_ratio = Blocked share
kpi-blocked_ratio-of = blocked ÷ observed planned time
kpi-micro_stops = Short stops
kpi-micro_stops-of = stops under 5 min ÷ observed planned time
kpi-inspection_pass-of = inspected good ÷ inspected
kpi-inspection_reject-of = rejected ÷ inspected
kpi-inspection_ask-of = for a person ÷ inspected
unit-stops = stops
unit-kWh = kWh
all-figures = All figures
all-figures-note = figure, what is divided by what, coverage
gap-salvaged = lost with a damaged ledger

# The door
name = Name
secret = PIN or password
password = Password
log-in = Log in
log-out = Log out
log-in-title = Log in
logged-in = You
claim-title = The first admin
claim-note = Nobody can log in yet. The code stands on the gateway's console and in access/first-admin.code of its data folder.
claim-code = Code from the console
claim = Make the first admin
no-accounts = Nobody can log in to this gateway now: see its faults.
password-rule = A password has at least 10 characters, five of them different.
pin-rule = An operator has a PIN of at least 6 digits.
refused-401 = That does not fit.
refused-403 = You may not do that.
refused-409 = That does not go any more: load the page again.
refused-422 = That will not do.
refused-429 = Too many tries. Wait { $n } s.
refused-503 = Too many log-ins at once. Try again in a second.
refused-else = The gateway did not take it.
role = Role
role-viewer = Viewer
role-operator = Operator
role-host = Host
role-engineer = Engineer
role-admin = Admin
role-viewer-may = Sees everything, changes nothing.
role-operator-may = Gives stops their reason and decides what the inspection asks.
role-host-may = Sees figures and states, no addresses and no models.
role-engineer-may = Does what an operator does, hands in orders, sets the line up, reads who did what.
role-admin-may = Does everything, users included.
recorded-as = In the records
users = Users
users-note = records carry the id, never the name
add-user = Add
remove = Remove
remove-user = Remove { $name }
remove-sure = Remove { $name }? Their sessions end at once.
audit = Who did what
audit-note = as the ledger holds it
who = Who
what = What
audit-login = logged in
audit-logout = logged out
audit-login_refused = log-in refused
audit-claim = first admin made
audit-user_added = user added
audit-user_changed = user changed
audit-user_removed = user removed
gap-damaged = damaged on the disk
gap-thinned = thinned to a value a minute
gap-not_durable = the disk failed

# Stops of the shift
kind-reason = reason
tab-stops = Stops
stops-of-shift = Stops of the shift
stops-of-shift-note = newest first; a person may name the cause, the PLC does not change
by-reason = By reason
by-reason-note = planned time only, longest first
no-stops-yet = Nothing has stopped in this shift
reason-none = no reason yet
reason-of = Reason of { $machine }, { $time }
reason-by = { $role } says
reason-plc = PLC says
say-reason = Say why
change-reason = Change
take-reason = Record
cancel = Back
faster = Somebody was faster: { $reason }. Choose again to replace it.
share-of = { $share } %
reason-no-operator = no operator
reason-no-tool = no tool
reason-cleaning = cleaning
reason-maintenance = maintenance
reason-quality-check = quality check
reason-other = other
replaces = in place of #{ $seq }
of-stop = stop #{ $seq }
not-for-role = Records and samples are not for this role.

# The gateway itself
tab-health = Health
health-note = of this gateway, measured every 2 s
vital-processor = Processor
vital-memory = Memory
vital-disk = Disk
vital-ledger = Ledger
vital-commit = Read to disk
vital-clock = Clock
vital-loop = Loop comes late by
vital-uptime = Agent runs for
of-agent = the agent { $share } % of one core; { $cores } cores
free-of = { $free } free of { $total }
agent-has = the agent has { $amount }
disk-not-known = how fast it fills is known after 10 min
disk-steady = does not fill at present
disk-left = fills by { $rate } an hour: full in { $span }
ledger-size = { $size } of at most { $limit }
worst-minute = at worst { $worst } in the last minute
clock-kept = synchronised
clock-free = not synchronised
clock-untold = not known
clock-off = off by { $offset }, at most { $error }
clock-remedy = let the gateway reach a time server (chrony, systemd-timesyncd)
machine-up = the gateway for { $span }
versions = Versions
look-here = look here
measuring = measuring …

# The engineer's page
tab-setup = Setup
part-of-setup = Line file
not-for-engineers = This page is for engineers: log in as one.
line-file = Line file
line-file-text = Text; passwords are in files of their own, never here
waits-for-start = The agent still runs with another text.
how-to-start = This one takes effect when the agent is started again (systemctl restart tanchang): nothing is read for some seconds.
runs-with-this = The agent runs with this text.
applied-as = Kept as version { $n }.
check = Check and compare
apply = Apply
apply-note = The file is replaced as a whole and takes effect at the next start of the agent, not before. Who did it is recorded.
apply-sure = Replace the line file? It takes effect at the next start of the agent.
drop-edit = Drop the edit
mistakes = Mistakes
mistakes-note = each has to be corrected first
would-change = Dry run
would-change-note = what the next start would change of what runs now
no-change = No machine, device or tag would change.
difference = Difference to the file
change-added = added
change-removed = removed
change-changed = changed
table-line = line
table-device = device
table-tag = tag
table-machine = machine
table-camera = camera
table-product = product
table-shift = shift
kept-versions = Kept versions
kept-note = newest first, the last hundred
no-versions = None yet: the first is kept when something is applied
past-the-panel = edited past the panel
in-the-file = in the file
runs-now = runs now
bring-back = Bring back
bring-back-n = Bring back version { $n }
audit-linefile_applied = line file applied

# The time model, and what limits the line
presets = Utilization by its denominator
presets-note = running time ÷ what it is measured by
presets-of-shift = The other two are told of shifts.
preset-planned = Of planned time
preset-planned-of = { $above } min running ÷ { $below } min planned and observed
preset-shift = Of the shift
preset-shift-of = { $above } min running, breaks too ÷ { $below } min of the shift observed
preset-calendar = Of calendar time
preset-calendar-of = { $above } min ÷ { $below } min observed; the calendar of this window is the shift
time-model = Time model
time-model-note = by ISO 22400-2, minutes:seconds of the window so far
time-model-sums = Planned is observed and not seen; observed is busy, idle and out of service; busy is production, setup, stopped, starved and blocked.
time-calendar = Calendar time
time-planned = Planned time (PBT)
time-observed = Observed
time-busy = Busy time (AUBT)
time-productive = Production time (APT)
time-unknown = Not seen
limits = What limits the line
limits-note = the station that waits least for the others
limits-line = { $machine } limits the line: it waits { $waiting } % of its time.
limits-margin = The next waits { $margin } points more.
limits-none = No station was seen waiting: none limits the others.
cycles-of-last = Cycles of the last station: { $machine }
over = Over 100 %: more came out than the time allows. Look for what was counted twice.
over-effectiveness = Over 100 %. Look for: a takt that is set too slow, parts made in breaks, a counter that counts twice, a lamp that is not green while parts are made.
over-oee = Over 100 %. Look for: a takt that is set too slow, parts made in breaks, a counter that counts twice.

# Rejected parts by class
by-defect = Rejected by class of defect
rejected-of = { $n } rejected of { $all } inspected
no-rejects = Nothing was rejected in this window
share-so-far = { $share } % · with those above { $sum } %
defect-none = no class

part-of-setup-certificates = Certificates
certs-pending = Waiting to be accepted
certs-pending-note = compare the thumbprint with the server's own display
certs-pending-none = No server waits.
certs-trusted = Trusted servers
certs-trusted-note = the agent talks to these alone
certs-trusted-none = None yet.
certs-own = Our own certificate
certs-own-note = what servers have to accept
certs-own-none = None yet: it is made at the first secured connection.
certs-pinned = pinned by the line file
no-device = no device of the line file
holds = valid { $since } to { $until }
ends-in = ends in { $n } d
has-ended = has ended
renew-own = Move own/ in the pki folder away and start the agent again: a new one is made, and servers have to accept it.
renew-theirs = Have a new one put on the server; it then waits here.
accept = Accept
accept-of = Accept { $url }
accept-sure = Does the server itself show { $print }?
forget-of = Remove { $url }
forget-sure = Remove the certificate of { $url }? A link that stands goes on; the next one has to be accepted again.
accepted = accepted
forgotten = removed
audit-certificate_accepted = certificate accepted
audit-certificate_removed = certificate removed

# Verdicts of people
kind-verdict = verdict
of-inspection = inspection #{ $seq }
to-judge = To judge
to-judge-note = the inspection asks; newest first
nothing-to-judge = Nothing to judge
more-to-judge = { $n } more wait
judged = Judged by people
judged-note = a verdict may be corrected; both stay on record
judge-part = Judge part { $unit }
judged-by = { $role }, { $time }
change-verdict = Change
faster-verdict = Somebody was faster: { $verdict }. Choose again to replace it.

part-of-setup-browse = What a device has
browse-note = read only, one look at a time
browse-lede = A look opens a connection of its own, which is gone afterwards. The machine goes on being read as before.
browse-server = Browse
read-registers = Read
looking = looking …
path = Path
open-node = Below { $name }
nothing-below = Nothing is below this node.
more-below = The server has more than these { $n }.
no-datatype = no datatype of ours
copy-tag = Copy as tag
copy-of = { $name }: copy as tag
copied = The line stands selected above.
tag-line = Line for the device's tags in the line file
first-register = First register, such as HR100
how-many = How many
register = Register
registers = Registers
registers-hint = f32 is the register with the next one. Choose the number that makes sense: its line is copied.

# One's own secret
audit-secret_changed = own PIN or password changed
own-secret = Change your PIN or password
old-secret = The one you have
new-secret = The new one
own-secret-note = You are logged out everywhere else.
change-secret = Change
secret-changed = Changed.

diagnostics = Diagnostics
diagnostics-note = A zip file for somebody far away: health, versions, faults, the last records and log lines, the line file, the ledger's proof. Passwords, keys, tokens and names are taken out; look through it before it leaves the plant.
diagnostics-take = Take the diagnostics
diagnostics-made = being made …
audit-diagnostics_taken = diagnostics taken

# Raw frames of a device
raw-frames = Raw frames
frames-which = Which frames
frames-last = Last { $n }
frames-refused = Refused { $n }
frames-broken = Before the break { $n }
frames-none = No frame yet.
hold = Hold
more-octets = More octets
wire-modbus = Whole frames as they went over the wire, newest first, by the gateway's clock.
wire-opcua = Bodies of Publish, Republish and Read, newest first, by the gateway's clock. Of an encrypted channel they are shown decrypted; the session's token is shown as zeros.
broken-at = The link broke at { $time }.
frame-sent = sent
frame-received = received
octets = { $n } octets
octets-more = + { $n } more
frame-transaction = { $id }
frame-unit = unit { $unit }
frame-read = { $space ->
    [C] read coils C{ $start }
    [DI] read discrete inputs DI{ $start }
    [IR] read input registers IR{ $start }
   *[HR] read holding registers HR{ $start }
  } ×{ $n }
frame-registers = { $n ->
    [one] 1 register
   *[other] { $n } registers
  }
frame-bits = { $n } bits at most
frame-exception = exception { $code }{ $code ->
    [1] {" "}illegal function
    [2] {" "}illegal data address
    [3] {" "}illegal data value
    [4] {" "}server device failure
    [5] {" "}acknowledge
    [6] {" "}server device busy
    [8] {" "}memory parity error
    [10] {" "}gateway path unavailable
    [11] {" "}gateway target device failed to respond
   *[other] {""}
  }
frame-identify = read device identification from object { $object }
frame-identity = device identification, { $n } objects
frame-function = function { $code }
frame-announced = announces { $n } octets
frame-incomplete = incomplete
frame-foreign = not of this protocol
frame-more = { $n } octets behind it
frame-crc-good = CRC right
frame-crc-bad = CRC wrong
frame-message = { $name }
frame-acknowledges = { $n ->
    [one] acknowledges { $last }
   *[other] acknowledges { $n }, last { $last }
  }
frame-nodes = { $n ->
    [one] 1 node
   *[other] { $n } nodes
  }
frame-values = { $n ->
    [one] 1 value
   *[other] { $n } values
  }
frame-sequence = sequence { $id }
frame-keep-alive = keep-alive
frame-status = { $status } { $name }
