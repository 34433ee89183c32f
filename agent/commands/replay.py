"""`tanchang replay`: a stretch of a ledger's records once more, each marked so. Writes nothing, moves no cursor."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from agent.commands.proof import instant
from agent.commands.verify import FAR
from agent.configuration.tables import LineFile
from agent.linefile import LineFileError, load
from agent.model import Line, Record
from agent.storage.reader import Reader
from agent.storage.record import LedgerError, record_of
from gateway import payload
from gateway.mqtt import Broker, Message, Mqtt, MqttError
from gateway.topic import topic

IN_FLIGHT = 100


def replay(line_file: Path, ledger: Path, since: str | None, until: str | None, broker: str | None) -> int:
    """Tell them to the line file's broker, or to `broker` (host:port); 0, 1 where the link broke, 2 for a mistake."""
    try:
        file = load(line_file)
        span = instant(since, 0), instant(until, FAR)
        where = _broker(file, line_file.parent, broker)
        reader = Reader(ledger)
    except (LineFileError, LedgerError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        number = asyncio.run(_tell(file.equipment, where, reader, span))
    except (MqttError, LedgerError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        reader.close()
    print(f"{ledger}: {number} records told again on {where.host}:{where.port}, each with replayed = true")
    return 0


def _broker(file: LineFile, base: Path, given: str | None) -> Broker:
    if given is not None:
        host, _, port = given.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError(f"{given} is no broker: write host:port, such as 127.0.0.1:1883")
        return Broker(host, int(port))
    table = file.mqtt
    if table is None:
        raise ValueError("the line file has no [mqtt] table: name a broker with --broker host:port")
    files = (table.password_file, table.ca_file, table.cert_file, table.key_file)
    return Broker(table.host, table.port, table.username, *(path and base / path for path in files))


async def _tell(line: Line, broker: Broker, reader: Reader, span: tuple[int, int]) -> int:
    """In order of seq, some in flight; the number of those that the broker acknowledged."""
    ledger, records, told = reader.id, _records(reader, span), 0
    async with Mqtt(broker, f"tanchang-replay-{secrets.token_hex(4)}") as link:
        while group := list(islice(records, IN_FLIGHT)):
            await asyncio.gather(*(link.send(_message(line, ledger, one)) for one in group))
            told += len(group)
    return told


def _records(reader: Reader, span: tuple[int, int]) -> Iterator[Record]:
    return (one for one in map(record_of, reader.rows()) if span[0] <= one.time < span[1])


def _message(line: Line, ledger: str, one: Record) -> Message:
    where = topic(line, f"_{one.kind.value}", one.machine)
    return Message(str(where), payload.encode({**payload.record(ledger, one), "replayed": True}))
