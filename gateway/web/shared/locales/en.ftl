# Words that panel and tour pages share. Terms follow ISO 22400.

## Machine states: at most 14 characters
state-executing = Running
state-stopped = Stopped
state-starved = Starved
state-blocked = Blocked
state-changeover = Setup
state-idle = Idle
state-out_of_service = Out of service
state-unknown = No data

## Figures: name, and what is divided by what
kpi-utilization = Utilization
kpi-utilization-of = executing ÷ observed planned time
kpi-first_pass_yield = First pass yield
kpi-first_pass_yield-of = good ÷ judged · n = { $n }
kpi-takt = Takt
kpi-takt-of = observed time ÷ parts · n = { $n }
kpi-good = Good off the line
kpi-good-of = parts; target = planned time ÷ { $takt } s
kpi-scrap = Scrap
kpi-scrap-of = parts
kpi-inspection_pass = Inspected good
kpi-inspection_reject = Rejected
kpi-inspection_ask = For a person

unit-parts = parts
unit-s = s
unit-min = min
unit-h = h
unit-d = d

window-shift = this shift
window-hour = this hour
shift-day = day shift
shift-night = night shift

verdict-PASS = Pass
verdict-REJECT = Reject
verdict-ASK = Ask

## Marks
mark-sim = simulated
mark-stale = stale { $span }
mark-delayed = delayed { $span }
mark-replay = replay { $date }
stopped-at = stopped at { $time }
no-data-since = no data since { $time }
no-data = no data
seen-only = seen only
too-few = n < 30, not shown
target = target { $value }
coverage = coverage { $share } %
ago = { $span } ago
since = since { $time }
span = { $n } { $unit ->
   *[s] s
    [min] min
    [h] h
    [d] d
}

## Stop reasons of the line file; one without words is shown as it stands
reason-die-stuck = die stuck
reason-ladle-fault = ladle fault
reason-die-protection = die protection
reason-feeder-jam = feeder jam
reason-gripper-lost = gripper lost a part
reason-tool-worn = tool worn
reason-screw-jam = screw jam
reason-part-missing = part missing
reason-label-jam = label jam
reason-tester-fault = tester fault
