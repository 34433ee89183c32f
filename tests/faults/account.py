"""The one assertion every part ends in: nothing lost, nothing double, every gap explained."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.commands.against import differences
from agent.commands.proof import report_of
from agent.demo.books import envelopes
from agent.storage.store import FILE
from tests.faults.part import Found

Envelope = Mapping[str, Any]
Key = tuple[str, str]
SHOWN = 5


def account(
    folder: Path,
    told: Iterable[Envelope],
    taken: Sequence[Envelope],
    made: Mapping[Key, int],
    faults: Sequence[float],
    explains: Callable[[Envelope], bool] = lambda _gap: False,
) -> Found:
    """Hold a ledger to its own rules, to what a consumer took of it and to what the PLC made.

    `told` is all that arrived, `taken` what the consumer counted, `made` the parts of each counter since its first
    record. `faults` are the moments (s since 1970) at which the PLC could not be read: each must lie in a gap, and each
    gap must hold one, but for those that `explains` knows as the fault's own. AssertionError tells the differences,
    with how many are lost and double.
    """
    records = envelopes(folder / FILE)
    report, blocks = report_of(folder)
    words = [str(one) for one in report.violations] + blocks
    lost, double = _counted(records, taken, made, words)
    words += [f"told: {one}" for one in differences(records, [dict(one) for one in told])]
    unexplained = _gaps(records, faults, explains)
    words += unexplained
    assert not words, f"lost {lost}, double {double}, unexplained {len(unexplained)}: " + "; ".join(words[:SHOWN])
    return {"lost": lost, "double": double, "unexplained": len(unexplained), "records": len(records)}


def first_raw(taken: Sequence[Envelope]) -> dict[Key, int]:
    """The raw value each counter was first read at."""
    first: dict[Key, int] = {}
    for one in taken:
        if one["kind"] == "count":
            first.setdefault((one["machine"], one["value"]["counter"]), one["value"]["raw"])
    return first


def _counted(
    records: Sequence[Envelope], taken: Sequence[Envelope], made: Mapping[Key, int], words: list[str]
) -> tuple[int, int]:
    """Records and parts that are lost and double, each difference in words."""
    there, came = {one["seq"] for one in records}, Counter(one["seq"] for one in taken)
    missing = sorted(there - came.keys())
    twice = {seq: number - 1 for seq, number in came.items() if number > 1}
    words += [f"seq {seq} was never taken" for seq in missing] + [f"seq {seq} was taken twice" for seq in twice]
    lost, double = len(missing), sum(twice.values())
    for witness, found in (("ledger", records), ("consumer", taken)):
        sums = _sums(found)
        for key, number in made.items():
            off = sums.get(key, 0) - number
            lost, double = lost + max(-off, 0), double + max(off, 0)
            if off:
                words.append(f"{'.'.join(key)}: the PLC made {number}, the {witness} counts {sums.get(key, 0)}")
    return lost, double


def _sums(found: Iterable[Envelope]) -> dict[Key, int]:
    sums: dict[Key, int] = {}
    for one in found:
        if one["kind"] == "count":
            key = one["machine"], one["value"]["counter"]
            sums[key] = sums.get(key, 0) + one["value"]["delta"]
    return sums


def _gaps(records: Sequence[Envelope], faults: Sequence[float], explains: Callable[[Envelope], bool]) -> list[str]:
    """Gaps nobody caused, and faults nobody tells of."""
    gaps = [one["value"] for one in records if one["kind"] == "gap" and not explains(one["value"])]
    spans = [(_stamp(one["from"]) - 0.001, _stamp(one["to"]) + 0.001, one) for one in gaps]
    wild = [json.dumps(gap) for low, high, gap in spans if not any(low <= moment <= high for moment in faults)]
    untold = [moment for moment in faults if not any(low <= moment <= high for low, high, _ in spans)]
    return [f"a gap without a fault: {one}" for one in wild] + [
        f"no gap tells of {moment:.3f}; there are {[(low, high) for low, high, _ in spans]}" for moment in untold
    ]


def _stamp(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
