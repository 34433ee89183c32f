"""A serial line as an asyncio transport, with the standard library alone."""

from __future__ import annotations

import asyncio
import fcntl
import os
import termios

from drivers.modbus.endpoint import Tty

SPEEDS = {int(name[1:]): getattr(termios, name) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}
AT_ONCE = 4096


def open_tty(endpoint: Tty, protocol: asyncio.Protocol) -> None:
    """Open the line for this process alone and raw, tell the protocol; OSError where that is not possible."""
    fd = os.open(endpoint.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        fcntl.ioctl(fd, termios.TIOCEXCL)
        _configure(fd, endpoint)
    except (OSError, termios.error) as error:
        os.close(fd)
        raise OSError(f"not a serial line: {error}") from error
    protocol.connection_made(TtyTransport(fd, protocol))


def _configure(fd: int, endpoint: Tty) -> None:
    """8 data bits, no flow control, nothing translated; what came before is thrown away."""
    frame = termios.CS8 | termios.CREAD | termios.CLOCAL
    frame |= {"none": 0, "even": termios.PARENB, "odd": termios.PARENB | termios.PARODD}[endpoint.parity]
    frame |= termios.CSTOPB if endpoint.stopbits == 2 else 0
    speed = SPEEDS[endpoint.baudrate]
    control = termios.tcgetattr(fd)[6]
    control[termios.VMIN], control[termios.VTIME] = 1, 0
    termios.tcsetattr(fd, termios.TCSANOW, [0, 0, frame, 0, speed, speed, control])
    termios.tcflush(fd, termios.TCIOFLUSH)


class TtyTransport(asyncio.Transport):
    """Hands what comes to its protocol. A request is a few octets: the kernel takes it whole, or the line is broken."""

    def __init__(self, fd: int, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._fd = fd
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(fd, self._readable)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        try:
            if self._fd >= 0 and os.write(self._fd, data) != len(data):
                self._end(OSError("the line took only part of a request"))
        except OSError as error:
            self._end(error)

    def abort(self) -> None:
        self._end(None)

    def close(self) -> None:
        self._end(None)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, AT_ONCE)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error)
            return
        if data:
            self._protocol.data_received(data)
        else:
            self._end(None)

    def _end(self, error: OSError | None) -> None:
        if self._fd < 0:
            return
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        self._fd = -1
        self._loop.call_soon(self._protocol.connection_lost, error)
