# Words of the public displays. Each line may have as many letters as its comment says.

## Marks
# stack light head, at most 7
sim-data = DATA
# at most 8; the plant's clock runs faster than the wall's
sim-speed = at { $speed }×
# head of the 9:16 overlay, at most 4
sim-short = SIM
# at most 13
mark-stale-at = stopped { $time }
# at most 8
mark-offline = offline
# at most 12
mark-delay = { $span } delay

## Head
# title before the line is known, at most 18
waiting-title = Waiting for data
# at most 52
waiting-path = no heartbeat heard yet
# at most 6
record = log
# at most 3 each
weekday-0 = Sun
weekday-1 = Mon
weekday-2 = Tue
weekday-3 = Wed
weekday-4 = Thu
weekday-5 = Fri
weekday-6 = Sat
# at most 40
date-line = { $weekday } { $date } · { $shift } { $from }–{ $to }
date-alone = { $weekday } { $date }

## Figures
kpi-first_pass_yield = First-pass yield
# name on an overlay, at most 12
air-utilization = Utilization
air-first_pass_yield = First-pass
air-takt = Takt
# denominator and window, at most 38
of-utilization = of observed planned time · { $machines } machines
of-first_pass_yield = good ÷ judged · { $window } · n = { $n }
of-takt = { $machine } · { $window } · n = { $n }
# denominator on an overlay, at most 15
air-of-utilization = ÷ planned, seen
air-of-first_pass_yield = good ÷ judged
air-of-takt = { $brief }
# at most 5 each
air-window-shift = shift
air-window-hour = hour
# a band of parts, at most 14
band = n { $low }–{ $high }
band-k = n { $low }–{ $high } k
# the word before a target, at most 6
goal = target
# at most 13
seen = seen { $share } %
# at most 6
live = live
# why there is no number, at most 24
why-few = under 30 parts, hidden
why-unseen = no data since { $time }
why-little = too little seen
why-nothing = nothing counted yet
# at most 12
seen-only-note = seen only

## What is going on, one line of at most 84
story-stopped = { $machine } stopped { $time }
story-starved = → { $machines } without parts
story-blocked = , { $machines } blocked
story-all = { $n } of { $n } stations running
story-all-note = { $span } without a stop
story-unseen = No data from { $machine } since { $time }
story-unseen-note = and from { $n } more
story-stale = Data stopped at { $time }
story-stale-note = no station was seen since
story-offline-note = gateway offline, no station was seen since
story-waiting = Nothing heard from the line yet
list-separator = , { "" }

## Stations
# under the state, at most 16
why-executing = cycle { $cycle } s
why-starved = infeed empty
why-blocked = outfeed full
why-changeover = changing over
why-idle = no order
why-out_of_service = not planned
why-stopped = no reason given
why-unknown = not seen since
why-unheard = no data yet
reason-gripper-lost = grip lost
# both together at most 18
since-at = { $time }
since-lasting = { " " }· { $span }
unseen-at = { $time }
unseen-lasting = { " " }· { $span }
# at most 5
util = Util.
# at most 5 each
good = good
scrap = scrap
# at most 28
no-stations = No station heard yet

## Bottom row
# at most 11
last-part = Last part
# at most 4
part-number = No.
# at most 24
inspection-of = { $machine } inspection
# at most 12 each
count-pass = good
count-reject = reject
count-ask = ask a person
# at most 8
packed = Packed
# at most 10
jobs = Next jobs
# at most 8
jobs-advice = advice
jobs-rules = by rules
# at most 10
none-yet = none yet
# defect words of the casting model, at most 16; one without words is shown as it stands
defect-blowhole = blowhole
defect-crack = crack
defect-flash = flash
defect-misrun = misrun
defect-unfamiliar = unfamiliar look
defect-unreadable = unreadable
defect-not_judged = not judged
defect-none = no defect seen
defect-process = process drift
# reasons of a job against the next best, at most 20
job-same_family = same die, −{ $saves }
job-rush = rush order
job-ready_first = ready { $saves } sooner
job-due_first = due first
job-shortest = { $saves } shorter
job-preferred = best overall
job-only_choice = only choice
job-frozen = fixed

## Overlays
# after the count of running stations, at most 16
running-of = of { $n } running
# at most 12
record-place = log position
# city by site word, at most 12; a site without one is shown as it stands
site-foshan = Foshan
