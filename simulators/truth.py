"""What really happened in a plant, as one JSON document. Pure."""

from __future__ import annotations

from typing import Any

from simulators.plant import Plant
from simulators.station import Station


def truth(plant: Plant, seed: int, speed: float, images: int) -> dict[str, Any]:
    """Every part, state interval and defect from plant.start to plant.now; times ns since 1970.

    `finished` is the last station's good parts, `energy_kwh` the meter's total; `wraps` and the like are totals of the
    line.
    """
    machines = {station.plan.name: _machine(station, plant.now) for station in plant.stations}
    words = [word for station in plant.stations for word, _ in station.states]
    return {
        "scenario": plant.scenario.name,
        "seed": seed,
        "speed": speed,
        "start_ns": plant.start,
        "end_ns": plant.now,
        "finished": plant.stations[-1].good,
        "energy_kwh": plant.energy,
        "wraps": sum(machine["wraps"] for machine in machines.values()),
        "jams": words.count("stopped"),
        "starvations": words.count("starved"),
        "defects": sum(unit.defect is not None for unit in plant.units),
        "machines": machines,
        "units": [
            {
                "unit": f"diecast1-{unit.shot:06d}",
                "shot": unit.shot,
                "time_ns": unit.time,
                "product": unit.product,
                "defect": unit.defect,
                "image": f"{unit.shot:06d}.png",
                "process": unit.process.values(),
            }
            for unit in plant.units
        ],
        "images": images,
    }


def _machine(station: Station, end: int) -> dict[str, Any]:
    good, scrap = station.plan.raw
    good_end, scrap_end = station.totals
    ends = [since for _, since in station.states[1:]] + [end]
    return {
        "good": station.good,
        "scrap": station.scrap,
        "raw_start": {"good": good, "scrap": scrap},
        "raw_end": {"good": good_end % 65536, "scrap": scrap_end % 65536},
        "wraps": station.wraps + good_end // 65536 + scrap_end // 65536,
        "states": [[word, since, until] for (word, since), until in zip(station.states, ends, strict=True)],
    }
