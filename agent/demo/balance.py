"""Does what the plant made equal what was recorded, published and displayed? Pure: evidence in, verdict out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.demo.timeline import Timeline, nanoseconds, seconds_by_word, transitions

COUNTERS = ("good", "scrap")
Counts = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What four independent witnesses hold.

    `truth` is the plant's own account, `records` the ledger's rows and `messages` what a subscriber
    at the broker took, both as wire envelopes; `displayed` what the hall board showed last.
    `sampling` is seconds of wall time between two looks at a machine's lamp, `devices` who is looked at for it.
    """

    truth: Mapping[str, Any]
    records: Sequence[Mapping[str, Any]]
    messages: Sequence[Mapping[str, Any]]
    displayed: Counts
    sampling: Mapping[str, float]
    devices: Mapping[str, str]
    speed: float


@dataclass(slots=True)
class Differences:
    """Every difference in words; lost and double count records and parts."""

    lost: int = 0
    double: int = 0
    words: list[str] = field(default_factory=list)

    def lose(self, count: int, words: str) -> None:
        """Something that was there once is missing."""
        self.lost += count
        self.words.append(words)

    def doubled(self, count: int, words: str) -> None:
        """Something that was there once is there again."""
        self.double += count
        self.words.append(words)


def balance(evidence: Evidence) -> dict[str, Any]:
    """The report: figures of each witness, and `balanced` true only where no difference was found."""
    truth, differences = evidence.truth, Differences()
    made = {name: {c: int(machine[c]) for c in COUNTERS} for name, machine in truth["machines"].items()}
    recorded = _counted(evidence.records, made)
    published = _counted(evidence.messages, made)
    _compare_messages(evidence.records, evidence.messages, differences)
    for name, counts in (("recorded", recorded), ("published", published), ("displayed", evidence.displayed)):
        _compare_counts(name, made, counts, differences)
    inspected = _inspected(evidence.records)
    judged = sum(sum(verdicts.values()) for verdicts in inspected.values())
    if judged != truth["images"]:
        differences.lose(
            abs(truth["images"] - judged), f"inspected: {judged} parts judged, {truth['images']} images taken"
        )
    gaps = [record["value"] for record in evidence.records if record["kind"] == "gap"]
    states = {name: _states(name, machine, evidence, differences) for name, machine in truth["machines"].items()}
    return {
        "balanced": not differences.words,
        "differences": differences.words,
        "seed": truth["seed"],
        "speed": evidence.speed,
        "made": made,
        "recorded": recorded,
        "published": published,
        "displayed": evidence.displayed,
        "inspected": inspected,
        "images": truth["images"],
        "inspection": _inspection(evidence.records, truth["units"]),
        "lost": differences.lost,
        "double": differences.double,
        "gaps": gaps,
        "unknown_seconds": {name: rows["unknown"]["recorded"] for name, rows in states.items()},
        "states": states,
        "records": len(evidence.records),
        **{key: truth[key] for key in ("finished", "wraps", "jams", "starvations", "defects")},
    }


def _counted(envelopes: Iterable[Mapping[str, Any]], machines: Iterable[str]) -> Counts:
    """Parts by machine; a line counts more than parts, such as the Wh of its meter."""
    counts: Counts = {name: dict.fromkeys(COUNTERS, 0) for name in machines}
    for envelope in envelopes:
        body = envelope["value"]
        if envelope["kind"] == "count" and body["counter"] in COUNTERS:
            counts.setdefault(envelope["machine"], dict.fromkeys(COUNTERS, 0))[body["counter"]] += body["delta"]
    return counts


def _compare_counts(witness: str, made: Counts, counts: Counts, differences: Differences) -> None:
    for machine, parts in made.items():
        for counter, number in parts.items():
            seen = counts.get(machine, {}).get(counter)
            if seen is None:
                differences.lose(number, f"{witness}: {machine} {counter} is missing; the plant made {number}")
            elif seen < number:
                differences.lose(number - seen, f"{witness}: {machine} {counter} is {seen}; the plant made {number}")
            elif seen > number:
                differences.doubled(seen - number, f"{witness}: {machine} {counter} is {seen}; the plant made {number}")


def _compare_messages(
    records: Sequence[Mapping[str, Any]], messages: Sequence[Mapping[str, Any]], differences: Differences
) -> None:
    """The ledger must be dense, and the broker must have carried each record once, unaltered."""
    seqs = [record["seq"] for record in records]
    for seq in sorted(set(range(1, max(seqs, default=0) + 1)) - set(seqs)):
        differences.lose(1, f"ledger: record {seq} is missing")
    for seq, count in Counter(seqs).items():
        if count > 1:
            differences.doubled(count - 1, f"ledger: record {seq} is there {count} times")
    taken = Counter(message["seq"] for message in messages)
    by_seq = {message["seq"]: message for message in messages}
    for record in records:
        seq, what = record["seq"], f"record {record['seq']} ({record['kind']} of {record['machine'] or 'the line'})"
        if not taken[seq]:
            differences.lose(1, f"published: {what} never reached the broker's subscriber")
        elif taken[seq] > 1:
            differences.doubled(taken[seq] - 1, f"published: {what} was taken {taken[seq]} times")
        elif by_seq[seq] != record:
            differences.words.append(f"published: {what} differs from the ledger: {by_seq[seq]['value']}")
    for seq in sorted(taken.keys() - set(seqs)):
        differences.doubled(taken[seq], f"published: record {seq} is not in the ledger")


def _states(name: str, machine: Mapping[str, Any], evidence: Evidence, differences: Differences) -> dict[str, Any]:
    """Seconds of each state beside the truth's, with the bound that sampling allows: transitions x look x speed."""
    start, end = evidence.truth["start_ns"], evidence.truth["end_ns"]
    look = max(evidence.sampling[name] * evidence.speed, _longest_look(evidence.records, name))
    true = Timeline.of_intervals(machine["states"], start, end)
    seen = Timeline.of_records(evidence.records, name, start, end)
    true_s, seen_s = seconds_by_word(true), seconds_by_word(seen)
    total = (end - start) / 1e9
    if abs(sum(seen_s.values()) - total) > 1e-6:
        differences.words.append(f"states: {name} accounts for {sum(seen_s.values()):.3f} s of {total:.3f} s")
    unknown = seen_s.get("unknown", 0.0)
    rows: dict[str, Any] = {}
    for word in sorted({*true_s, *seen_s, "unknown"}):
        bound = transitions(true, word) * look
        difference = seen_s.get(word, 0.0) - true_s.get(word, 0.0)
        rows[word] = {"true": true_s.get(word, 0.0), "recorded": seen_s.get(word, 0.0), "bound": bound}
        if word != "unknown" and not -(bound + unknown) <= difference <= bound:
            differences.words.append(f"states: {name} {word} is {difference:+.1f} s off the truth, bound {bound:.1f} s")
    _explain_unknown(name, unknown, look, evidence, differences)
    return rows


def _longest_look(records: Sequence[Mapping[str, Any]], machine: str) -> float:
    """Plant seconds between the two looks farthest apart around a change of state: a busy gateway looks late."""
    changes = (r for r in records if r["kind"] == "state" and r["machine"] == machine)
    looks = ((r["time"], r["value"]["not_before"]) for r in changes if r["value"]["previous"] != "unknown")
    return max(((nanoseconds(time) - nanoseconds(before)) / 1e9 for time, before in looks), default=0.0)


def _explain_unknown(name: str, unknown: float, look: float, evidence: Evidence, differences: Differences) -> None:
    gaps = (record["value"] for record in evidence.records if record["kind"] == "gap")
    explained = sum(_gap_seconds(gap) for gap in gaps if gap["what"] == evidence.devices[name])
    allowed = explained + 2 * look
    if unknown > allowed:
        differences.words.append(f"gaps: {name} was unknown for {unknown:.1f} s; gaps explain {explained:.1f} s")


def _gap_seconds(gap: Mapping[str, Any]) -> float:
    return (nanoseconds(gap["to"]) - nanoseconds(gap["from"])) / 1e9 if gap["to"] else 0.0


def _inspected(records: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    verdicts: dict[str, dict[str, int]] = {}
    for machine, body in _inspections(records):
        row = verdicts.setdefault(machine, {"pass": 0, "reject": 0, "ask": 0})
        row[body["verdict"].lower()] += 1
    return verdicts


def _inspections(records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((record["machine"], record["value"]) for record in records if record["kind"] == "inspection")


def _inspection(records: Sequence[Mapping[str, Any]], units: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Verdict against true defect: how many parts of each kind were passed, rejected, asked."""
    verdict = {body["unit"]: body["verdict"] for _, body in _inspections(records)}
    table: dict[str, dict[str, int]] = {}
    for unit in units:
        row = table.setdefault(unit["defect"] or "none", {"PASS": 0, "REJECT": 0, "ASK": 0})
        if unit["unit"] in verdict:
            row[verdict[unit["unit"]]] += 1
    sound = table.get("none", {"PASS": 0, "REJECT": 0, "ASK": 0})
    defective = [row for defect, row in table.items() if defect != "none"]
    return {
        "verdict_by_defect": table,
        "false_rejects": sound["REJECT"],
        "sound": sum(sound.values()),
        "escapes": sum(row["PASS"] for row in defective),
        "defective": sum(sum(row.values()) for row in defective),
    }
