"""`python -m tests.faults.panel_abuse ADDRESS CLIENTS SECONDS`: never reads what it asks for, logs in wrongly.

Prints how many clients were let in and how many log-ins were turned away.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from contextlib import suppress

HANDSHAKE = (
    "GET /ws/v1 HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
LOG_IN = (
    "POST /api/v1/login HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nX-Tanchang: flood\r\n"
    "Content-Length: {length}\r\n\r\n{body}"
)
FLOODS = 16
SMALL = 2048


async def main(address: str, clients: int, seconds: float) -> None:
    """All of it at once, for that long."""
    seated, refused = [0], [0]
    tasks = [asyncio.create_task(_slow(address, seated)) for _ in range(clients)]
    tasks += [asyncio.create_task(_flood(address, number, refused)) for number in range(FLOODS)]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(seated[0], refused[0])


async def _slow(address: str, seated: list[int]) -> None:
    """A client that takes as little as it can, and comes back when it is sent away."""
    host, _, port = address.rpartition(":")
    loop = asyncio.get_running_loop()
    while True:
        with socket.socket() as one, suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
            one.settimeout(0)
            await loop.sock_connect(one, (host, int(port)))
            await loop.sock_sendall(one, HANDSHAKE.format(host=address).encode())
            answer = await loop.sock_recv(one, 12)
            seated[0] += answer.endswith(b"101")
            for _ in iter(int, 1):
                if not await loop.sock_recv(one, 1):
                    break
                await asyncio.sleep(1)
        await asyncio.sleep(0.5)


async def _flood(address: str, number: int, refused: list[int]) -> None:
    """Wrong log-ins one after the other, each from another address."""
    host, _, port = address.rpartition(":")
    turn = 0
    while True:
        turn += 1
        near = f"127.{number + 1}.{turn // 250 % 250}.{turn % 250 + 1}"
        body = json.dumps({"name": f"somebody {turn % 40}", "secret": "x" * 60})
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(host, int(port), local_addr=(near, 0))
            try:
                writer.write(LOG_IN.format(host=address, length=len(body), body=body).encode())
                status = (await reader.readline()).split()
                refused[0] += status[1:2] in ([b"401"], [b"429"], [b"503"])
            finally:
                writer.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
