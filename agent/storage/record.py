"""A record as it lies in a ledger: its canonical body, what its checksum and the chain are taken over. Pure."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.model import Kind, Record

BEGIN = "00" * 32  # the chain before the first record


class LedgerError(Exception):
    """The ledger cannot be used as asked; the message says why and what to do."""


class DamagedError(LedgerError):
    """What was read is not what was written."""


def canonical(body: Mapping[str, Any]) -> str:
    """A body as it is stored and signed: sorted keys, no spaces. ValueError or TypeError if it is not JSON."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content(record: Record, body: str, wall: int) -> bytes:
    """What a record's checksum and the chain are taken over."""
    head = [record.seq, record.kind, record.machine, record.time, int(record.simulated), wall]
    return (json.dumps(head) + body).encode()


def chained(root: str, content: bytes) -> str:
    """The running hash after one more record."""
    return hashlib.sha256(bytes.fromhex(root) + content).hexdigest()


def iso(time: int) -> str:
    """A time as it stands in bodies."""
    stamp = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time // 1_000_000)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record_of(row: Sequence[Any]) -> Record:
    """A record from its row (seq, kind, machine, time, body, simulated, crc, wall); LedgerError if it was altered."""
    seq, kind, machine, time, body, simulated, crc, wall = row
    record = Record(Kind(kind), machine, time, json.loads(body), bool(simulated), seq)
    if zlib.crc32(content(record, body, wall)) != crc:
        raise DamagedError(f"record {seq} of the ledger is damaged: keep the file, start with a new ledger folder")
    return record


def based(meta: Mapping[str, str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Where each counter stood, as (epoch, total), when the history that is not summed any more ended."""
    base: dict[str, tuple[int, int]] = json.loads(meta.get("base", "{}"))
    return {(machine, counter): (at[0], at[1]) for name, at in base.items() for machine, counter in [name.split(".")]}
