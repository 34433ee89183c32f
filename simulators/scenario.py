"""The lines that can be simulated, as data. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.orders import Product


@dataclass(frozen=True, slots=True)
class Jam:
    """A way to stop: the PLC's code, and how long people need, seconds from and to."""

    code: int
    least_s: float
    most_s: float


@dataclass(frozen=True, slots=True)
class StationPlan:
    """A station: `buffer` parts fit behind it, `scrap` is the share it spoils itself.

    `raw` are its PLC's good and scrap totals at the start; `load` its watts executing, in changeover, otherwise.
    """

    name: str
    buffer: int
    jams: tuple[Jam, ...]
    jam_chance: float
    changeover_s: float
    scrap: float
    raw: tuple[int, int]
    load: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A line: its takt, its stations in the order of the flow (casting first, test last), what it makes."""

    name: str
    takt_s: float
    stations: tuple[StationPlan, ...]
    products: dict[str, Product]
    ribs: dict[str, int]


STATIONS = (
    StationPlan(
        "diecast1", 5, (Jam(11, 30, 100), Jam(12, 18, 60)), 0.006, 75.0, 0.0, (65536 - 40, 7), (31_000, 14_000, 9_000)
    ),
    StationPlan(
        "press1", 4, (Jam(31, 25, 80), Jam(32, 15, 50)), 0.005, 70.0, 0.004, (65536 - 77, 65534), (11_000, 2_000, 1_200)
    ),
    StationPlan(
        "trim1", 4, (Jam(41, 20, 70), Jam(42, 30, 110)), 0.005, 55.0, 0.004, (65536 - 58, 212), (4_200, 900, 600)
    ),
    StationPlan(
        "assembly1", 4, (Jam(51, 15, 60), Jam(52, 12, 45)), 0.006, 50.0, 0.003, (65536 - 93, 65535), (2_600, 700, 450)
    ),
    StationPlan(
        "testpack1", 0, (Jam(61, 15, 60), Jam(62, 20, 75)), 0.005, 40.0, 0.003, (65536 - 31, 65531), (3_100, 800, 500)
    ),
)


def _cycle(*seconds: float) -> dict[str, float]:
    return dict(zip((station.name for station in STATIONS), seconds, strict=True))


COOKER3 = Scenario(
    name="cooker3",
    takt_s=17.0,
    stations=STATIONS,
    products={
        "A": Product("cooker-3l", _cycle(16, 16, 15, 16, 16)),
        "B": Product("cooker-5l", _cycle(17, 16, 16, 17, 16)),
        "C": Product("cooker-3l", _cycle(16, 15, 16, 16, 17)),
    },
    ribs={"cooker-3l": 6, "cooker-5l": 8},
)
SCENARIOS = {COOKER3.name: COOKER3}
