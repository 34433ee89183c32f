"""Shapes of the live lane as a display hears it (docs/wire.md). A payload that does not fit is refused whole."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Words = dict[str, str]
Quality = Literal["good", "uncertain", "bad", "unknown"]
# Evidence goes into an <img>: nothing but small bitmaps gets through.
Bitmap = Annotated[str, Field(max_length=90_000, pattern=r"^data:image/(webp|png|jpeg);base64,[A-Za-z0-9+/=]+$")]


class Heard(BaseModel):
    """Unknown fields are dropped, so a newer agent can say more than this display understands."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Window(Heard):
    """Span of plant time a figure is about."""

    kind: str
    label: str = ""
    start: AwareDatetime
    end: AwareDatetime


class Figure(Heard):
    """A figure; the public tree leaves numerator and denominator out and may give `n_band` instead."""

    name: str
    machine: str = ""
    window: Window
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    n_band: tuple[int, int] | None = None
    coverage: float = Field(ge=0, le=1)
    target: float | None = None
    time: AwareDatetime
    sim: bool


class StateValue(Heard):
    """One machine as it stands; counts are absent from the public tree."""

    name: str
    display: Words = {}
    state: Literal["EXECUTING", "NOT_EXECUTING", "OUT_OF_SERVICE", "UNKNOWN"]
    cause: str | None = None
    word: str
    reason_word: str | None = None
    since: AwareDatetime | None = None
    observed: AwareDatetime | None = None
    good: int | None = None
    scrap: int | None = None
    cycle_s: float | None = None


class LineValue(Heard):
    """The heartbeat: who the line is, which machines it has in the order of flow, where its ledger stands."""

    site: str
    area: str
    line: str
    display: Words = {}
    takt_s: float | None = None
    least_coverage: float = Field(default=0.5, ge=0, le=1)
    timezone: str = "UTC"
    machines: tuple[str, ...] = ()
    seq: int | None = None
    root: str | None = None
    speed: float = Field(default=1.0, gt=0)


class Judged(Heard):
    """The last inspected part."""

    unit: str = ""
    verdict: Literal["PASS", "REJECT", "ASK"]
    defect: str | None = None
    time: AwareDatetime | None = None


class InspectionValue(Heard):
    """Last verdict of a station, with its evidence as a data address."""

    last: Judged | None = None
    image: Bitmap | None = None


class Reason(BaseModel):
    """Why a job is next: a code and plain numbers or words beside it."""

    model_config = ConfigDict(extra="allow", frozen=True)
    code: str = ""


class JobValue(Heard):
    """One planned operation."""

    order: str
    product: str
    display: Words = {}
    machine: str
    start: AwareDatetime
    reason: Reason = Reason()


class PlanValue(Heard):
    """Advice, in order of start."""

    jobs: tuple[JobValue, ...] = ()
    rung: str = ""


class Envelope(Heard):
    """What every live payload has around its value; `sim` is owed by all but the last will."""

    time: AwareDatetime | None
    quality: Quality
    sim: bool | None


class Live(Envelope):
    """A live payload that says whether it is simulated."""

    time: AwareDatetime
    sim: bool


class StateHeard(Live):
    """`<machine>/_state`."""

    value: StateValue


class FiguresHeard(Live):
    """`_kpi` of a machine or of the line."""

    value: tuple[Figure, ...]


class LineHeard(Live):
    """`<line>/_line`."""

    value: LineValue


class InspectionHeard(Live):
    """`<machine>/_inspection`."""

    value: InspectionValue


class PlanHeard(Live):
    """`<line>/_plan`."""

    value: PlanValue


class OnlineHeard(Envelope):
    """`<line>/_online`: birth and last will."""

    value: bool
