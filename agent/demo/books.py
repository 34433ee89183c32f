"""The ledger's books as an outsider reads them: another SQLite library, another process, read-only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlite_utils

from agent.demo.tamper import NTH
from agent.model import Kind, Record
from gateway import payload


def envelopes(path: Path) -> list[dict[str, Any]]:
    """The ledger's records as they must have gone out; read by another library than the one that wrote them."""
    database = sqlite_utils.Database(sqlite3.connect(f"file:{path}?mode=ro", uri=True))
    try:
        (ledger,) = database.query("select value from meta where key = 'id'")
        rows = database.query("select seq, kind, machine, time, body, simulated from record order by seq")
        return [_envelope(ledger["value"], row) for row in rows]
    finally:
        database.close()


def _envelope(ledger: str, row: Mapping[str, Any]) -> dict[str, Any]:
    record = Record(
        Kind(row["kind"]), row["machine"], row["time"], json.loads(row["body"]), bool(row["simulated"]), row["seq"]
    )
    decoded: dict[str, Any] = json.loads(payload.encode(payload.record(ledger, record)))
    return decoded


def falsify(path: Path, how: str) -> None:
    """Drop, double or alter one count in the ledger file itself."""
    database = sqlite_utils.Database(str(path))
    counts = "select seq from record where kind = 'count' and json_extract(body, '$.delta') > 0 order by seq"
    seq = list(database.query(counts))[NTH]["seq"]
    with database.conn:
        if how == "drop":
            database.execute("delete from record where seq = ?", [seq])
        elif how == "double":
            (last,) = database.query("select max(seq) as seq from record")
            columns = "kind, machine, time, body, simulated, crc, wall"
            copy = f"insert into record select ?, {columns} from record where seq = ?"
            database.execute(copy, [last["seq"] + 1, seq])
        else:
            more = "json_set(body, '$.delta', json_extract(body, '$.delta') + 1)"
            database.execute(f"update record set body = {more} where seq = ?", [seq])
    database.close()
