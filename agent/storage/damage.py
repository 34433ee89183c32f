"""Whether a ledger file can be trusted, looked at before it is opened for writing, within a budget of time."""

from __future__ import annotations

import time
from pathlib import Path

import apsw

from agent.storage.record import DamagedError, record_of
from agent.storage.schema import SCHEMA, statements
from agent.storage.store import MARK, Stand, standing, states

PAGE_OF_RECORDS = 500
STEPS = 20_000  # of the virtual machine between two looks at the clock
META = {"id", "root", "commits", "sum", "floor", "base", "copied", "compacted", "hot", "thinned", "gone", "gone_root"}
BROKEN = (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, apsw.IOError, apsw.CantOpenError, apsw.FormatError)
CANNOT_WRITE = {
    apsw.SQLITE_IOERR_WRITE,
    apsw.SQLITE_IOERR_FSYNC,
    apsw.SQLITE_IOERR_DIR_FSYNC,
    apsw.SQLITE_IOERR_TRUNCATE,
    apsw.SQLITE_IOERR_DELETE,
    apsw.SQLITE_IOERR_SHMOPEN,
    apsw.SQLITE_IOERR_SHMSIZE,
    apsw.SQLITE_IOERR_SHMMAP,
}
NONSENSE = (ValueError, KeyError, TypeError, DamagedError, RecursionError)


def damage(path: Path, budget_s: float) -> str | None:
    """What is wrong with a ledger file, None where nothing was found in the time given.

    A disk that takes no write is no damage of the file: apsw.IOError and apsw.FullError are raised then.
    """
    db = None
    try:
        db = apsw.Connection(str(path))
        db.set_busy_timeout(2000)
        return _looked_at(db, time.monotonic() + budget_s)
    except BROKEN as error:
        if getattr(error, "extendedresult", 0) in CANNOT_WRITE:
            raise
        return f"{type(error).__name__}: {error}"
    except NONSENSE as error:
        return f"{type(error).__name__}: {error}"
    finally:
        if db is not None:
            db.close()


def _looked_at(db: apsw.Connection, until: float) -> str | None:
    version = db.pragma("user_version")
    tables = {" ".join(sql.split()) for (sql,) in db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
    if not tables and version == 0:
        return None
    written = next((schema for schema in range(SCHEMA, 0, -1) if tables == statements(schema)), None)
    if written is None:
        return None if version > SCHEMA else "its tables are not those of a ledger"
    if wrong := _kept(db, version, written):
        return wrong
    return _whole(db, until)


def _kept(db: apsw.Connection, version: int, written: int) -> str | None:
    """What is kept besides records and samples, against its checksum; `written` is the schema its tables are of."""
    meta = dict(db.execute("SELECT key, value FROM meta"))
    own = {name for name in meta if not name.startswith(MARK)}
    if not own <= META or not {"id", "root", "commits"} <= meta.keys():
        return "it does not know its own name"
    seq = db.execute("SELECT coalesce(max(seq), 0) FROM record").get
    stand = Stand(seq, meta["root"], int(meta["commits"]))
    proved = meta.get("sum") == standing(stand, meta, *states(db), written)
    if version != written:
        return "its schema number is not what was written" if proved or version <= SCHEMA else None
    if "sum" in meta and not proved:
        return "its totals are not what was written"
    return None


def _whole(db: apsw.Connection, until: float) -> str | None:
    """The structure, then the records from the last one back, as far as the time allows."""
    db.set_progress_handler(lambda: time.monotonic() > until, STEPS)
    try:
        words = db.execute("PRAGMA integrity_check(1)").get
        if words != "ok":
            return str(words)
        seq = db.execute("SELECT coalesce(max(seq), 0) FROM record").get
        gone = int(db.execute("SELECT coalesce(max(value), '0') FROM meta WHERE key = 'gone'").get)
        while seq > gone and time.monotonic() < until:
            sql = "SELECT * FROM record WHERE seq <= ? ORDER BY seq DESC LIMIT ?"
            rows = list(db.execute(sql, (seq, PAGE_OF_RECORDS)))
            for place, row in enumerate(rows):
                if record_of(row).seq != seq - place:
                    return f"record {seq - place} is missing"
            seq -= max(len(rows), 1)
        return None
    except apsw.InterruptError:
        return None
    finally:
        db.set_progress_handler(None)
