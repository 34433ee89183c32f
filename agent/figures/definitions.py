"""The figures by name: what each is after ISO 22400-2, and what it leaves out. docs/figures.md is this table. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

Unit = Literal["%", "s", "parts", "stops", "kWh"]
Scope = Literal["sum", "last", "mixed"]


class Figure(NamedTuple):
    """A figure in words. `line`: the line's is of all machines summed, of the last station, or as the words say."""

    iso: str
    unit: Unit
    numerator: str
    denominator: str
    line: Scope
    excludes: str


UNSEEN = "unseen time"
LATE = "unseen time; parts made in it"
CORE: dict[str, Figure] = {
    "utilization": Figure(
        "availability", "%", "productive time", "observed planned time", "sum", "unseen time; breaks"
    ),
    "first_pass_yield": Figure(
        "first pass yield", "%", "good parts not reworked", "good + scrap parts", "mixed", "nothing"
    ),
    "takt": Figure("—", "s", "observed planned time", "good + scrap parts", "last", LATE),
    "good": Figure("good quantity", "parts", "good parts", "planned time so far / takt", "last", "nothing"),
    "scrap": Figure("scrap quantity", "parts", "scrap parts", "planned time so far / takt", "sum", "nothing"),
    "inspection_pass": Figure("—", "parts", "parts passed", "parts inspected", "sum", "parts not inspected"),
    "inspection_reject": Figure("—", "parts", "parts rejected", "parts inspected", "sum", "parts not inspected"),
    "inspection_ask": Figure("—", "parts", "parts left to a person", "parts inspected", "sum", "parts not inspected"),
}
SHIFT_ONLY: dict[str, Figure] = {
    "utilization_calendar": Figure("—", "%", "productive time, breaks too", "observed calendar time", "sum", UNSEEN),
    "availability": Figure("availability", "%", "productive time", "observed planned time", "last", UNSEEN),
    "effectiveness": Figure("effectiveness", "%", "takt x (good + scrap parts)", "productive time", "last", LATE),
    "quality_ratio": Figure("quality ratio", "%", "good parts", "good + scrap parts", "last", LATE),
    "oee": Figure("OEE index", "%", "takt x good parts", "observed planned time", "last", LATE),
    "rolled_throughput_yield": Figure(
        "—", "%", "parts of the first station x all stations' yields", "parts of the first station", "mixed", "nothing"
    ),
    "scrap_ratio": Figure("scrap ratio", "%", "scrap parts", "good + scrap parts", "mixed", "nothing"),
    "rework_ratio": Figure("rework ratio", "%", "reworked parts", "good + scrap parts", "mixed", "nothing"),
    "wip_change": Figure(
        "—", "parts", "parts that entered less those that left", "planned time so far / takt", "mixed", "nothing"
    ),
    "energy_per_part": Figure("—", "kWh", "energy", "good parts", "mixed", "nothing"),
    "mtbf": Figure("mean operating time between failures", "s", "productive time", "stops", "sum", UNSEEN),
    "mttr": Figure("mean time to restoration", "s", "stopped time", "stops", "sum", UNSEEN),
    "changeover_ratio": Figure("—", "%", "changeover time", "observed planned time", "sum", UNSEEN),
    "starved_ratio": Figure("—", "%", "starved time", "observed planned time", "sum", UNSEEN),
    "blocked_ratio": Figure("—", "%", "blocked time", "observed planned time", "sum", UNSEEN),
    "micro_stops": Figure(
        "—", "stops", "stops shorter than 5 min", "observed planned time", "sum", "stops not seen from end to end"
    ),
}
FIGURES = CORE | SHIFT_ONLY
