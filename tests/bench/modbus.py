"""Modbus TCP, 125 registers a read: client CPU-seconds per million registers, ours beside libmodbus and pymodbus.

One server for all: libmodbus (C), compiled into a temporary folder as is its client. Each client checks what it read.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from pymodbus.client import AsyncModbusTcpClient

from drivers.modbus.address import Space
from drivers.modbus.blocks import Block
from drivers.modbus.device import ModbusDevice
from drivers.modbus.endpoint import Socket
from drivers.modbus.frame import read_reply, read_request
from drivers.modbus.port import Ports
from drivers.modbus.reader import Reader
from tests.bench.result import Result, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMN = "CPU s per 1M registers"
REGISTERS = 125
BLOCKS = 64  # asked together
ROUNDS = 5
HELD = 2000

SERVER = r"""
#include <stdio.h>
#include <unistd.h>
#include <signal.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <modbus.h>
int main(void) {
    modbus_t *bus = modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t *held = modbus_mapping_new(0, 0, 2000, 0);
    int listener = modbus_tcp_listen(bus, 8);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (listener < 0 || getsockname(listener, (struct sockaddr *) &address, &size)) return 1;
    for (int n = 0; n < 2000; n++) held->tab_registers[n] = n;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        if (modbus_tcp_accept(bus, &listener) < 0) return 1;
        if (fork() == 0) {
            uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
            close(listener);
            for (;;) {
                int length = modbus_receive(bus, query);
                if (length < 0) return 0;
                if (length > 0) modbus_reply(bus, query, length, held);
            }
        }
        close(modbus_get_socket(bus));
    }
}
"""

CLIENT = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <modbus.h>
int main(int count, char **word) {
    modbus_t *bus = modbus_new_tcp("127.0.0.1", atoi(word[1]));
    long reads = atol(word[2]);
    uint16_t got[125];
    struct rusage used;
    (void) count;
    if (modbus_connect(bus)) return 1;
    for (long n = 0; n < reads; n++) {
        if (modbus_read_registers(bus, 0, 125, got) != 125 || got[124] != 124) return 2;
    }
    getrusage(RUSAGE_SELF, &used);
    printf("%f\n", used.ru_utime.tv_sec + used.ru_stime.tv_sec
        + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return 0;
}
"""


def missing() -> str | None:
    """What keeps the C programs from being compiled, in words; None where nothing does."""
    if shutil.which("cc") is None:
        return "no cc"
    probe = subprocess.run(["cc", "-E", "-"], input=b"#include <modbus/modbus.h>\n", capture_output=True, check=False)
    return None if probe.returncode == 0 else "no libmodbus header"


def _compile(source: str, folder: Path, name: str) -> Path:
    path = folder / f"{name}.c"
    path.write_text(source.replace("<modbus.h>", "<modbus/modbus.h>"), encoding="utf-8")
    subprocess.run(["cc", "-O2", "-o", str(folder / name), str(path), "-lmodbus"], check=True)
    return folder / name


@contextmanager
def _server(program: Path) -> Iterator[int]:
    with subprocess.Popen([str(program)], stdout=subprocess.PIPE) as child:
        output: IO[bytes] | None = child.stdout
        assert output is not None
        try:
            yield int(output.readline())
        finally:
            child.terminate()


async def _cost(work: Callable[[], Awaitable[Any]], reads: int) -> float:
    """The least CPU-seconds per million registers of some rounds of `work`, which reads so many times 125."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        await work()
        best = min(best, time.process_time() - began)
    return best / (reads * REGISTERS) * 1e6


async def _ours(port: int, outstanding: int) -> float:
    """From the request to checked native numbers: port, reply checks, one decode for all blocks asked together."""
    ports = Ports()
    seat = ports.seat(Socket("127.0.0.1", port), 255, outstanding)
    await seat.open()
    block = Block(Space.HOLDING_REGISTER, 0, REGISTERS, (0,))
    requests = [read_request(block)] * BLOCKS
    expected = np.tile(np.arange(REGISTERS, dtype=np.uint16), BLOCKS)

    async def work() -> None:
        for _ in range(40):
            replies = await seat.ask(requests, 10.0)
            payload = b"".join([read_reply(block, reply) for reply in replies])
            numbers = np.frombuffer(payload, ">u2").astype(np.uint16)
        assert (numbers == expected).all()

    try:
        return await _cost(work, 40 * BLOCKS)
    finally:
        await seat.leave()


async def _reader(port: int) -> float:
    """The whole reader: 2,000 tags of one register, 16 blocks a poll, to columns with status."""
    tags = [{"name": f"t{n}", "address": f"HR{n}", "datatype": "u16"} for n in range(HELD)]
    where = {"name": "plc", "driver": "modbus", "host": "127.0.0.1", "port": port, "unit": 255, "outstanding": 16}
    device = ModbusDevice.model_validate(where | {"tag": tags, "timeout": "10s"})
    seat = Ports().seat(device.endpoint, device.unit, device.outstanding)
    await seat.open()
    reader = Reader(device, device.tags, seat, None)
    due = tuple(range(HELD))

    async def work() -> None:
        for _ in range(100):
            rows = await reader.read(due)
        assert rows.value.tolist() == rows.index.tolist()

    try:
        return await _cost(work, 100 * HELD // REGISTERS)
    finally:
        await seat.leave()


async def _pymodbus(port: int) -> float:
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()

    async def work() -> None:
        for _ in range(500):
            reply = await client.read_holding_registers(0, count=REGISTERS, device_id=255)
            assert reply.registers[-1] == REGISTERS - 1

    try:
        return await _cost(work, 500)
    finally:
        client.close()


def _libmodbus(program: Path, port: int) -> float:
    reads = 10_000
    costs = []
    for _ in range(ROUNDS):
        done = subprocess.run([str(program), str(port), str(reads)], capture_output=True, check=True)
        costs.append(float(done.stdout) / (reads * REGISTERS) * 1e6)
    return min(costs)


async def measure() -> Result:
    """One client after the other at the same server. Without cc or libmodbus there is nothing to measure against."""
    if why := missing():
        return Result("modbus", {f"not measured: {why}": {}}, [])
    with tempfile.TemporaryDirectory() as name:
        server, client = (
            _compile(source, Path(name), word) for source, word in ((SERVER, "server"), (CLIENT, "client"))
        )
        with _server(server) as port:
            figures = {
                "tanchang, 1 outstanding": {COLUMN: await _ours(port, 1)},
                "tanchang, 16 outstanding": {COLUMN: await _ours(port, 16)},
                "tanchang, 16, 2,000 tags to columns": {COLUMN: await _reader(port)},
                "peer: libmodbus, C": {COLUMN: await asyncio.to_thread(_libmodbus, client, port)},
                "peer: pymodbus async": {COLUMN: await _pymodbus(port)},
            }
    ours = figures["tanchang, 16 outstanding"][COLUMN]
    targets = [
        Target("16 outstanding / libmodbus", ours / figures["peer: libmodbus, C"][COLUMN], 1.5),
        Target("16 outstanding / pymodbus async", ours / figures["peer: pymodbus async"][COLUMN], 0.1),
    ]
    return Result("modbus", figures, targets)
