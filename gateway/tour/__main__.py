"""`python -m gateway.tour`: one tour server until SIGTERM."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Sequence
from threading import Thread
from typing import TYPE_CHECKING

from agent.configuration.duration import seconds
from gateway.tour.settings import PUBLIC_DELAY_S, Settings

if TYPE_CHECKING:
    import uvicorn


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to stop; prints one line of JSON with the addresses when they answer."""
    settings = parse(argv)
    import uvicorn

    from gateway.tour.server import create

    door = opened(settings)
    config = uvicorn.Config(create(settings), log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=2)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(json.dumps(_ready(settings, door.getsockname()[1])), flush=True)

    # uvicorn raises the signal again once it has closed everything; being told to stop is no failure here.
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: None)
    server = Server(config)
    if settings.attached:
        Thread(target=_follow_stdin, args=(server,), daemon=True).start()
    server.run(sockets=[door])
    return 0


def _follow_stdin(server: uvicorn.Server) -> None:
    """Whoever started us is gone when standard input closes."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.should_exit = True


def opened(settings: Settings) -> socket.socket:
    """Where the server listens; every answer leaves at once. OSError where it cannot."""
    from gateway.listen import listening

    return listening(settings.listen_host, settings.listen_port)


def parse(argv: Sequence[str] | None) -> Settings:
    """Settings from the command line; exits with 2 and the reason on a wrong one."""
    parser = argparse.ArgumentParser(prog="python -m gateway.tour", description="Board and overlays of one line.")
    parser.add_argument("--broker", required=True, metavar="HOST:PORT", type=_address)
    parser.add_argument("--line", required=True, metavar="SITE/AREA/LINE", type=_path)
    parser.add_argument("--listen", default=("127.0.0.1", 8090), metavar="HOST:PORT", type=_address)
    parser.add_argument("--profile", choices=("hall", "public"), default="hall")
    parser.add_argument("--delay", metavar="TIME", type=_delay, help="such as 30s; public has 30s by itself")
    parser.add_argument("--capability", metavar="WORD", type=_word, help="instead of a random one: loopback only")
    parser.add_argument("--name", action="append", default=[], metavar="HOST", help="a host name screens use")
    parser.add_argument("--attached", action="store_true", help="stop when standard input closes")
    told = parser.parse_args(argv)
    if told.capability and told.listen[0] not in ("127.0.0.1", "::1", "localhost"):
        parser.error("--capability is for loopback; leave it out, and a random one is made at each start")
    if told.listen[0] in ("0.0.0.0", "::") and not told.name:
        parser.error("a server on every address needs --name, the host name or address screens call it by")
    by_itself = PUBLIC_DELAY_S if told.profile == "public" else 0.0
    return Settings(
        broker_host=told.broker[0],
        broker_port=told.broker[1],
        line=told.line,
        profile=told.profile,
        delay_s=by_itself if told.delay is None else told.delay,
        listen_host=told.listen[0],
        listen_port=told.listen[1],
        hosts=tuple(told.name),
        attached=told.attached,
        **({"capability": told.capability} if told.capability else {}),
    )


def _ready(settings: Settings, port: int) -> dict[str, str]:
    called = settings.hosts[0] if settings.hosts else settings.listen_host
    host = f"[{called}]" if ":" in called else called
    base = f"{host}:{port}/t/{settings.capability}"
    return {
        "event": "ready",
        "profile": settings.profile,
        "board": f"http://{base}/board",
        "overlay": f"http://{base}/overlay-16x9",
        "overlay_tall": f"http://{base}/overlay-9x16",
        "ws": f"ws://{base}/ws/v1",
    }


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"write HOST:PORT, such as 127.0.0.1:1883, not {text!r}")
    return host.strip("[]"), int(port)


def _path(text: str) -> str:
    if not re.fullmatch(r"[^/#+\s]+(/[^/#+\s]+){2}", text):
        raise argparse.ArgumentTypeError(f"write site/area/line, such as foshan/appliances/cooker3, not {text!r}")
    return text


def _word(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{4,64}", text):
        raise argparse.ArgumentTypeError("use 4 to 64 letters, digits, - and _")
    return text


def _delay(text: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    raise SystemExit(main())
