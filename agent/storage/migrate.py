"""A ledger of an older schema becomes one of today's, in one transaction, after a copy is put aside. No way back."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import apsw

from agent.storage.durable import settle
from agent.storage.hot import Standing
from agent.storage.record import LedgerError
from agent.storage.schema import ADDED, SCHEMA
from agent.storage.store import Stand, standing, states

log = logging.getLogger(__name__)


def migrated(path: Path) -> Path | None:
    """Bring a ledger file up to today's schema; the copy of what it was, None where there was nothing to do.

    A kill at any moment leaves the old file whole, or the new one. A newer schema is not looked at.
    """
    if not path.exists():
        return None
    db = apsw.Connection(str(path))
    try:
        db.set_busy_timeout(2000)
        version = db.pragma("user_version")
        if version == 0 or version >= SCHEMA:
            return None
        copy = path.with_name(f"{path.stem}-schema{version}{path.suffix}")
        _back_up(db, path, copy)
        db.pragma("journal_mode", "wal")
        db.pragma("synchronous", "full")
        for schema in range(version + 1, SCHEMA + 1):
            _step(db, schema)
    finally:
        db.close()
    log.info("ledger: %s is of schema %s now; as it was before: %s", path, SCHEMA, copy)
    return copy


def _back_up(db: apsw.Connection, path: Path, copy: Path) -> None:
    """Copy the ledger as it stands, whole or not at all."""
    need = sum(one.stat().st_size for one in path.parent.glob(f"{path.name}*"))
    if shutil.disk_usage(path.parent).free < need:
        raise LedgerError(
            f"{path} is of an older tanchang and there is no room to copy it before it is changed:"
            f" free {need // 1024**2 + 1} MiB on its disk and start again"
        )
    part = copy.with_name(f"{copy.name}.part")
    part.unlink(missing_ok=True)
    held = apsw.Connection(str(part))
    try:
        with held.backup("main", db, "main") as backup:
            backup.step()
    finally:
        held.close()
    part.rename(copy)
    settle(path.parent)


def _step(db: apsw.Connection, schema: int) -> None:
    """From the schema before to this one: its tables, its meta rows, its checksum, all or nothing."""
    with db:
        db.execute(ADDED[schema])
        db.execute("DELETE FROM meta WHERE key = 'compacted'")
        db.execute("INSERT INTO meta VALUES('hot', ?)", (Standing().text,))
        meta = dict(db.execute("SELECT key, value FROM meta"))
        seq = db.execute("SELECT coalesce(max(seq), 0) FROM record").get
        total = standing(Stand(seq, meta["root"], int(meta["commits"])), meta, *states(db), schema)
        db.execute("INSERT OR REPLACE INTO meta VALUES('sum', ?)", (total,))
        db.pragma("user_version", schema)
