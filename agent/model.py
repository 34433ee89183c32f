"""The nouns of the project. Pure data; times are integer nanoseconds since 1970 UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

SECOND = 1_000_000_000

# OPC UA StatusCode severities, top two bits (OPC 10000-4, 7.39).
GOOD = 0x0000_0000
UNCERTAIN = 0x4000_0000
BAD = 0x8000_0000
BAD_NOT_CONNECTED = 0x808A_0000
BAD_NO_DATA = 0x809B_0000


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of the line: its name, what people call it by language, its PLC stop codes in words.

    `counters` are those it has beyond good and scrap: rework, energy.
    """

    name: str
    display: Mapping[str, str]
    stop_reasons: Mapping[int, str]
    counters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Line:
    """The equipment path site/area/line (ISA-95) and what figures and displays need to know of it.

    `machines` in the order of the flow; `products` maps a product to its display names. `metered`: one meter tells
    the energy of the whole line. A figure of less coverage than `least_coverage` (0..1) is shown without its value.
    """

    site: str
    area: str
    line: str
    display: Mapping[str, str]
    takt_s: float
    timezone: str
    machines: tuple[Machine, ...]
    products: Mapping[str, Mapping[str, str]]
    targets: Mapping[str, float]
    metered: bool = False
    least_coverage: float = 0.5


@dataclass(frozen=True, slots=True)
class Order:
    """What production wants: pieces of a product by a time (plant time), weight 5 for a rush order."""

    order: str
    product: str
    quantity: int
    due: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Who answers at the other end of a link, as that end itself says.

    `simulated` is read from the device's own identification and cannot be configured away.
    `speed` is how many seconds the device's clock runs in a second of ours: 1.0 for real machines.
    `up_s` is for how many seconds of ours it had been up when it was asked, None where it does not tell.
    """

    vendor: str = ""
    product: str = ""
    simulated: bool = False
    speed: float = 1.0
    up_s: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a driver stands in what its device keeps for it, in the driver's own words.

    `whole` is all that a driver of a later process needs to go on from there; `place`, short, is what has changed
    since the last whole one besides the values told.
    """

    place: str
    whole: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read brought: equally long columns, one row per value, in order of arrival.

    `index` is the tag's position in its device's tag list; `status` an OPC UA StatusCode.
    `time` is the device's clock at the read: every tag not listed still holds what it held, up to `time`.
    Integers beyond 2**53 and strings stand in `text` by row; their `value` is NaN.
    `mark` goes to disk with the batch, so that a later process can go on after it.
    What is `restated` was told before over another link: it shows what holds, and is no sample of its own.
    """

    index: NDArray[np.uint32]
    value: NDArray[np.float64]
    source_time: NDArray[np.int64]
    status: NDArray[np.uint32]
    time: int
    token: int
    text: Mapping[int, str] = field(default_factory=dict)
    mark: Mark | None = None
    restated: bool = False


@dataclass(frozen=True, slots=True)
class Samples:
    """About a second of a device's values, once they are on disk. A batch's index counts in `tags`."""

    device: str
    tags: tuple[str, ...]
    batches: tuple[Batch, ...]
    simulated: bool


class State(StrEnum):
    """Machine states after OPC 40001-1 MachineryItemState."""

    EXECUTING = "EXECUTING"
    NOT_EXECUTING = "NOT_EXECUTING"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    UNKNOWN = "UNKNOWN"


class Cause(StrEnum):
    """Why a machine is NOT_EXECUTING."""

    IDLE = "idle"
    BLOCKED = "blocked"
    STARVED = "starved"
    STOPPED = "stopped"
    CHANGEOVER = "changeover"


@dataclass(frozen=True, slots=True)
class MachineState:
    """A state, with its cause exactly when NOT_EXECUTING, and the PLC's stop code where it gives one."""

    state: State
    cause: Cause | None = None
    reason: int | None = None

    @property
    def word(self) -> str:
        """One of the eight words of the visual language: executing, stopped, ..., unknown."""
        return self.cause.value if self.cause else self.state.value.lower()


UNKNOWN = MachineState(State.UNKNOWN)


class Kind(StrEnum):
    """What a record tells; also the last word of its topic."""

    STATE = "state"
    COUNT = "count"
    INSPECTION = "inspection"
    PLAN = "plan"
    KPI = "kpi"
    FAULT = "fault"
    GAP = "gap"
    ORDER = "order"
    AUDIT = "audit"
    REASON = "reason"
    VERDICT = "verdict"


@dataclass(frozen=True, slots=True)
class Record:
    """One durable fact. `seq` is 0 until the ledger has committed it; `machine` is "" for the line."""

    kind: Kind
    machine: str
    time: int
    body: Mapping[str, Any]
    simulated: bool
    seq: int = 0


class Verdict(StrEnum):
    """Outcome of an inspection; ASK leaves it to a person."""

    PASS = "PASS"
    REJECT = "REJECT"
    ASK = "ASK"


@dataclass(frozen=True, slots=True)
class Inspection:
    """One judged part. Scores are calibrated to 0..1, high is bad; `evidence` is a file name in the evidence folder."""

    unit: str
    machine: str
    time: int
    verdict: Verdict
    score: float
    image_score: float
    process_score: float | None
    defect: str | None
    model: str
    evidence: str | None
    simulated: bool
    took_ms: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody says of a part that an inspection asked about: `verdict` holds in place of `instead`.

    `inspection` is the seq of its record and `made` its time; `was` is the seq of the decision this one corrects.
    `by` is the id of a user, never a name.
    """

    machine: str
    inspection: int
    unit: str
    made: int
    verdict: Verdict
    instead: Verdict
    was: int | None
    by: str
    role: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class Window:
    """A named span of plant time; `kind` is shift or hour, `end` exclusive."""

    kind: str
    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Kpi:
    """A figure: numerator over denominator in a window, with what was seen of it.

    `value` is None where the denominator is zero. `low` and `high` bound the value when all
    that was not seen is counted bad, or good. `covered` and `expected` are seconds.
    """

    name: str
    machine: str
    window: Window
    numerator: float
    denominator: float
    unit: str
    value: float | None
    low: float | None
    high: float | None
    covered: float
    expected: float
    target: float | None
    time: int
    revision: int = 0
    closed: bool = False
    simulated: bool = False

    @property
    def coverage(self) -> float:
        """Share of the window's planned time so far that was observed, 0..1; 1 where nothing was due."""
        return self.covered / self.expected if self.expected > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong now, with what to do about it. Key is (source, code)."""

    source: str
    code: str
    message: str
    remedy: str
    since: int


@dataclass(frozen=True, slots=True)
class Job:
    """One planned operation and why it is next; times are plant time.

    `reason` is {"code": word, ...numbers}: words and languages are the display's.
    """

    order: str
    product: str
    operation: int
    machine: str
    start: int
    end: int
    setup_s: float
    quantity: int
    reason: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """Advice: jobs in order of start. `rung` names who proposed it: policy or rules."""

    jobs: tuple[Job, ...]
    rung: str
    model: str | None
    time: int
    late: int
    setup_share: float


@dataclass(frozen=True, slots=True)
class TimeModel:
    """Seconds of one machine's window so far; `states` by word, of the observed planned time."""

    machine: str
    calendar: float
    planned: float
    observed: float
    busy: float
    productive: float
    unknown: float
    states: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MachineNow:
    """A machine as it stands. Totals are PLC parts counted since the ledger began; None before the first reading."""

    name: str
    state: MachineState
    since: int
    good: int | None
    scrap: int | None
    cycle_s: float | None
    observed: int
    simulated: bool


@dataclass(frozen=True, slots=True)
class TagNow:
    """Last value of a tag; `age_s` in wall seconds since its device last vouched for it."""

    name: str
    unit: str
    value: float | str | None
    status: int
    source_time: int
    age_s: float | None


@dataclass(frozen=True, slots=True)
class DeviceNow:
    """A link as it stands; `age_s` and `latency_ms` in wall time; `gap_since` plant time while not observed."""

    name: str
    driver: str
    address: str
    connected: bool
    age_s: float | None
    latency_ms: float | None
    batches: int
    reconnects: int
    origin: Origin
    gap_since: int | None
    tags: tuple[TagNow, ...]


@dataclass(frozen=True, slots=True)
class LineNow:
    """The whole line after a commit: what panel and live lane show. `time` is plant time, `seq` the last committed.

    `times` has each machine's time model by kind of window, in the order of the flow.
    """

    ledger: str
    seq: int
    time: int
    simulated: bool
    speed: float
    durable: bool
    machines: tuple[MachineNow, ...]
    figures: tuple[Kpi, ...]
    faults: tuple[Fault, ...]
    inspections: tuple[Inspection, ...]
    plan: Plan | None
    times: Mapping[str, tuple[TimeModel, ...]] = field(default_factory=dict)
