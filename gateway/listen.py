"""The socket a web server of ours listens on."""

from __future__ import annotations

import socket


def listening(host: str, port: int) -> socket.socket:
    """Listening there, port 0 as the system likes; OSError where it cannot.

    Answers leave at once: asyncio sets TCP_NODELAY only where it knows the protocol, which an accepted socket does not
    tell here, and a client would wait 40 ms for the second half of an answer.
    """
    one = socket.create_server((host, port))
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one
