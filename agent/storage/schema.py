"""The tables of a ledger file, by schema number. A schema only ever adds to the one before it."""

from __future__ import annotations

SCHEMA = 2
FIRST_TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE record(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, machine TEXT NOT NULL, time INTEGER NOT NULL,
  body TEXT NOT NULL, simulated INTEGER NOT NULL, crc INTEGER NOT NULL, wall INTEGER NOT NULL) STRICT;
CREATE INDEX record_kind ON record(kind, machine, seq);
CREATE TABLE counter(machine TEXT NOT NULL, counter TEXT NOT NULL, raw INTEGER NOT NULL, total INTEGER NOT NULL,
  epoch INTEGER NOT NULL, time INTEGER NOT NULL, before INTEGER NOT NULL, suspect INTEGER,
  suspect_time INTEGER NOT NULL, PRIMARY KEY(machine, counter)) STRICT, WITHOUT ROWID;
CREATE TABLE observed(device TEXT PRIMARY KEY, time INTEGER NOT NULL, cause TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE cursor(sink TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE tag_list(id INTEGER PRIMARY KEY, device TEXT NOT NULL, names TEXT NOT NULL, UNIQUE(device, names)) STRICT;
CREATE TABLE block(id INTEGER PRIMARY KEY, tag_list INTEGER NOT NULL REFERENCES tag_list, first INTEGER NOT NULL,
  last INTEGER NOT NULL, rows INTEGER NOT NULL, body BLOB NOT NULL, crc INTEGER NOT NULL) STRICT;
CREATE INDEX block_time ON block(tag_list, last);
"""
ADDED = {
    2: """
CREATE TABLE hot(slot INTEGER PRIMARY KEY, turn INTEGER NOT NULL, part INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
""",
}


def tables(schema: int) -> str:
    """The statements that make an empty file one of this schema."""
    return FIRST_TABLES + "".join(ADDED[number] for number in range(2, schema + 1))


def statements(schema: int) -> set[str]:
    """The same as SQLite keeps them, spaces aside."""
    return {" ".join(sql.split()) for sql in tables(schema).split(";") if sql.strip()}
