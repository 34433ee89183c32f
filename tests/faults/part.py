"""What a part of the fault harness is: a module of this folder with counts and one function.

FULL, QUICK      how many seeds (0, 1, ...), or the seeds themselves as a range
TOGETHER         optional: how many seeds run at once, each in a process of its own
FULL_FORM, QUICK_FORM   optional: keyword arguments `one` gets besides, such as {"hours": 72}
SUMMED           optional: names of numbers that are added up over the seeds; of the others the worst is told,
                     lists are for `conclude`
missing()        optional: why this machine cannot run the part, in words; None where it can
conclude(found)  optional: looks at the numbers of all seeds together, raises AssertionError; more words to tell
one(seed, folder) -> {"lost": 0, "double": 0, "unexplained": 0, ...}
                 one run in an empty folder; AssertionError names the difference
"""

from __future__ import annotations

import importlib
import logging
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

Found = dict[str, Any]
COUNTED = ("lost", "double", "unexplained")


@dataclass(frozen=True, slots=True)
class Part:
    """A part in its full or quick form."""

    name: str
    seeds: Sequence[int]
    form: Mapping[str, Any]
    together: int
    summed: tuple[str, ...]

    @property
    def module(self) -> ModuleType:
        """Where `one` stands."""
        return importlib.import_module(f"tests.faults.{self.name}")

    def environment(self) -> Mapping[str, str]:
        """What its processes must be started with."""
        ask = getattr(self.module, "environment", None)
        return {} if ask is None else ask()

    def missing(self) -> str | None:
        """Why this machine cannot run it."""
        ask = getattr(self.module, "missing", None)
        return None if ask is None else ask()

    def conclude(self, found: Sequence[Found]) -> str:
        """What all seeds say together."""
        ask = getattr(self.module, "conclude", None)
        return "" if ask is None else ask(found)


def part(name: str, *, quick: bool) -> Part:
    """The part of that name."""
    module = importlib.import_module(f"tests.faults.{name}")
    seeds = module.QUICK if quick else module.FULL
    return Part(
        name=name,
        seeds=range(seeds) if isinstance(seeds, int) else seeds,
        form=getattr(module, "QUICK_FORM" if quick else "FULL_FORM", {}),
        together=getattr(module, "TOGETHER", 1),
        summed=(*COUNTED, *getattr(module, "SUMMED", ())),
    )


def attempt(name: str, seed: int, form: Mapping[str, Any], *, quiet: bool) -> tuple[int, Found | str, float]:
    """One seed in a folder of its own: its numbers or what went wrong, and its seconds. May run in another process."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL if quiet else before)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"tanchang-{name}-", ignore_cleanup_errors=True) as folder:
        try:
            outcome: Found | str = importlib.import_module(f"tests.faults.{name}").one(seed, Path(folder), **form)
        except AssertionError as error:
            outcome = f"FAILED {name} seed {seed}: {error!s:.2000}"
        except Exception:  # noqa: BLE001 - whatever it is, the other seeds go on
            outcome = f"FAILED {name} seed {seed}:\n{traceback.format_exc()}"
    logging.disable(before)
    return seed, outcome, time.monotonic() - began


def summary(part: Part, found: Sequence[Found]) -> Found:
    """Sums and worst numbers over the seeds."""
    names = dict.fromkeys(name for one in found for name in one)
    return {
        name: (sum if name in part.summed else max)(one[name] for one in found if name in one)
        for name in [*COUNTED, *(name for name in names if name not in COUNTED)]
        if name in names and not any(isinstance(one.get(name), list) for one in found)
    }
