"""How a web server of ours listens: answers leave at once, and no crowd of clients is let in at one stroke."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

# So many clients are let in per turn of the loop, the others wait in the kernel: a thousand at once would hold it,
# and with it the reading of machines, for more than a second.
AT_A_TURN = 8


class Server(uvicorn.Server):
    """Leaves the signals to the process it lives in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(app: Any, log_level: str = "warning") -> Server:
    """To serve an app on sockets of `listening`. Live updates are not deflated: that is work for each client anew."""
    return Server(
        uvicorn.Config(
            app,
            log_level=log_level,
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            backlog=AT_A_TURN,
            timeout_graceful_shutdown=1,
        )
    )


def listening(host: str, port: int) -> socket.socket:
    """Listening there, port 0 as the system likes; OSError where it cannot.

    asyncio sets TCP_NODELAY only where it knows the protocol, which an accepted socket does not tell here: without it
    a client waits 40 ms for the second half of an answer.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.create_server((host, port), family=family)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one
