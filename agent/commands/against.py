"""Whether two accounts of one ledger hold the same facts, each record as its envelope of docs/wire.md. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Envelope = Mapping[str, Any]


def differences(ours: Iterable[Envelope], theirs: Iterable[Envelope]) -> Iterator[str]:
    """What differs, in words, by seq. Either may tell a record twice, as a broker may; alike both times."""
    left, right = _Account("the ledger"), _Account("the other")
    yield from left.fill(ours)
    yield from right.fill(theirs)
    for ledger in sorted(left.names ^ right.names):
        where = right if ledger in left.names else left
        yield f"{where.name} has no record of ledger {ledger}"
    for key in sorted(key for key in left.facts.keys() | right.facts.keys() if key[0] in left.names & right.names):
        one, other = left.facts.get(key), right.facts.get(key)
        if one is None or other is None:
            yield f"seq {key[1]} is missing from {(left if one is None else right).name}"
        elif one != other:
            words = (
                f"{name} is {one.get(name)!r} in the ledger and {other.get(name)!r} in the other"
                for name in _unlike(one, other)
            )
            yield f"seq {key[1]}: {'; '.join(words)}"


def _unlike(one: Envelope, other: Envelope) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


class _Account:
    """Facts by ledger and seq."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.facts: dict[tuple[str, int], Envelope] = {}
        self.names: set[str] = set()

    def fill(self, envelopes: Iterable[Envelope]) -> Iterator[str]:
        """Take them; what is told twice and not alike."""
        for envelope in envelopes:
            key = str(envelope["ledger"]), int(envelope["seq"])
            self.names.add(key[0])
            known = self.facts.setdefault(key, envelope)
            if known != envelope:
                yield f"seq {key[1]} is told twice in {self.name}, and differs in {', '.join(_unlike(known, envelope))}"
