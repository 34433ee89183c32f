"""Where screens and browsers knock: an answer in two parts does not wait 40 ms for the first to be acknowledged."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from agent.panel import opened as panel_opened
from gateway.tour.__main__ import opened, parse

WAYS = ("--broker", "127.0.0.1:1883", "--line", "foshan/appliances/cooker3")
DOORS: dict[str, Callable[[], socket.socket]] = {
    "tour": lambda: opened(parse([*WAYS, "--listen", "127.0.0.1:0"])),
    "tour on IPv6": lambda: opened(parse([*WAYS, "--listen", "[::1]:0"])),
    "panel": lambda: panel_opened("127.0.0.1", 0),
    "panel on IPv6": lambda: panel_opened("::1", 0),
}


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("name", DOORS)
def test_what_is_sent_to_a_client_leaves_at_once(name: str) -> None:
    if "IPv6" in name and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with DOORS[name]() as door, socket.create_connection(door.getsockname()[:2]):
        accepted, _ = door.accept()
        with accepted:
            assert accepted.family == (socket.AF_INET6 if "IPv6" in name else socket.AF_INET)
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
