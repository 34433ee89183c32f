"""A TCP proxy that breaks a link on purpose: for fault suites, on loopback."""

from __future__ import annotations

import asyncio
import socket
import struct
from random import Random
from types import TracebackType
from typing import Literal, Self, get_args

Mode = Literal["pass", "hole", "half", "refuse", "rst", "fin", "drip", "delay", "garbage", "torn"]

CUTTING: tuple[Mode, ...] = ("refuse", "rst", "fin")
DRIP_BYTES, DRIP_S = 1, 0.05
CHUNK = 65536


class FaultProxy:
    """Stands at port `listen` (0: any) between a client and `target`, a host and port.

    What it does to the bytes is `mode`, and may change at any time.
    pass: nothing. hole: swallows both ways, links stay open, nothing swallowed is sent later.
    half: swallows what comes back only. refuse: cuts all links and closes the listener.
    rst: resets every link, old and new. fin: closes them.
    drip: a byte at a time. delay: holds each piece back for `delay` seconds.
    garbage: what comes back is as many random octets. torn: half of what comes back, then the link is closed.
    """

    def __init__(self, host: str, port: int, delay: float = 0.5, listen: int = 0, seed: int = 0) -> None:
        self.delay = delay
        self._random = Random(seed)
        self.port = listen
        self.target = (host, port)
        self._mode: Mode = "pass"
        self._server: asyncio.Server | None = None
        self._links: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}
        self._turn = asyncio.Lock()
        self._changes: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.switch("refuse")
        await asyncio.gather(*self._changes)

    @property
    def mode(self) -> Mode:
        """What is done to the bytes now."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        """Set at once for the bytes; `refuse` and the way back need a turn of the loop, or await switch()."""
        self._mode = _known(mode)
        change = asyncio.get_running_loop().create_task(self.switch(mode))
        self._changes.add(change)
        change.add_done_callback(self._changes.discard)

    async def switch(self, mode: Mode) -> None:
        """Set the mode and return when it holds: listener closed or open, links cut where the mode cuts them."""
        async with self._turn:
            self._mode = _known(mode)
            if mode in CUTTING:
                await self._cut(reset=mode == "rst")
            if mode == "refuse" and self._server is not None:
                self._server.close()
                await self._server.wait_closed()
                self._server = None
            elif mode != "refuse" and self._server is None:
                await self._listen()

    @property
    def links(self) -> int:
        """How many client links are open."""
        return len(self._links)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self, *, reset: bool) -> None:
        links = dict(self._links)
        for task, writers in links.items():
            for writer in writers:
                _drop(writer, reset=reset)
            task.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode in CUTTING:
            _drop(writer, reset=self._mode == "rst")
            return
        task = asyncio.current_task()
        assert task is not None  # a stream handler always runs in a task
        self._links[task] = (writer,)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
            self._links[task] = (writer, far_writer)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, far_writer, comes_back=False))
                both.create_task(self._pump(far_reader, writer, comes_back=True))
        except* (OSError, asyncio.CancelledError):
            pass  # a cut link is this class's business
        finally:
            for end in self._links.pop(task):
                _drop(end, reset=False)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, comes_back: bool) -> None:
        """Carry one direction until it ends, but for the modes that swallow it; its end ends the other one too."""
        holes = ("hole", "half") if comes_back else ("hole",)
        while piece := await reader.read(CHUNK):
            if comes_back and self._mode == "torn":
                writer.write(piece[: len(piece) // 2])
                await writer.drain()
                break
            if comes_back and self._mode == "garbage":
                piece = self._random.randbytes(len(piece))
            if self._mode == "delay":
                await asyncio.sleep(self.delay)
            step = DRIP_BYTES if self._mode == "drip" else len(piece)
            for start in range(0, len(piece), step):
                if self._mode in holes:
                    break
                writer.write(piece[start : start + step])
                await writer.drain()
                if self._mode == "drip":
                    await asyncio.sleep(DRIP_S)
        raise ConnectionResetError("one side closed the link")


def _known(mode: Mode) -> Mode:
    if mode not in get_args(Mode):
        raise ValueError(f"mode {mode!r}: choose one of {', '.join(get_args(Mode))}")
    return mode


def _drop(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    """Close one end now: with a RST where asked, else with a FIN."""
    if reset and not writer.is_closing():
        peer: socket.socket = writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if reset:
        writer.transport.abort()
    else:
        writer.close()
