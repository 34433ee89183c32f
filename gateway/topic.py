"""Topics: tree / site / area / line [/ machine] / contract (docs/wire.md). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from agent.model import Kind, Line

TREE = "tanchang/v1"
PUBLIC_TREE = "tanchang-public/v1"

LINE = "_line"
ONLINE = "_online"
RAW = "_raw"
ACK = "_ack"
SAMPLES = "_samples"
CONTRACTS = frozenset(f"_{kind.value}" for kind in Kind) | {LINE, ONLINE, RAW, ACK, SAMPLES}

WORD = re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic in its words; `machine` is "" for the line. Its str() is what goes on the wire."""

    site: str
    area: str
    line: str
    machine: str
    contract: str
    tree: str = TREE

    def __str__(self) -> str:
        words = (self.site, self.area, self.line, self.machine, self.contract)
        return "/".join((self.tree, *(word for word in words if word)))

    @property
    def public(self) -> Topic:
        """Its twin in the tree that may leave the plant."""
        return replace(self, tree=PUBLIC_TREE)


def topic(line: Line, contract: str, machine: str = "") -> Topic:
    """The topic of a contract of the line, or of one of its machines. ValueError for words a topic cannot hold."""
    words = (line.site, line.area, line.line, *((machine,) if machine else ()))
    for word in words:
        if not _plain(word):
            raise ValueError(f"{word!r} cannot stand in a topic: use letters, digits, - and _, not _ first")
    if contract not in CONTRACTS:
        raise ValueError(f"{contract!r} is no contract: write one of {', '.join(sorted(CONTRACTS))}")
    return Topic(line.site, line.area, line.line, machine, contract)


def parse(text: str) -> Topic | None:
    """The topic in its words; None for one that is not ours."""
    for tree in (TREE, PUBLIC_TREE):
        *names, contract = text.removeprefix(f"{tree}/").split("/")
        if text.startswith(f"{tree}/") and len(names) in (3, 4) and contract in CONTRACTS and all(map(_plain, names)):
            site, area, line, machine = (*names, "")[:4]
            return Topic(site, area, line, machine, contract, tree)
    return None


def _plain(word: str) -> bool:
    return WORD.fullmatch(word) is not None
