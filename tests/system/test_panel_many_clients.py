"""More clients than there are seats, and slow ones: the panel goes on answering, and what waits for them is bounded."""

from __future__ import annotations

import asyncio
import json
import socket
import tracemalloc
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import websockets

from gateway.panel import server, watch
from gateway.panel.limits import Allowance, Seats
from gateway.panel.roles import Role
from gateway.panel.server import MOST_CLIENTS, create
from tests.system.panel_people import people
from tests.system.panel_serve import serving
from tests.system.panel_view import LINE, LINE_NOW, SampleView

ROOMY = 64 * 1024 * 1024
ORDER = {"order": "J1", "product": "A", "quantity": 10, "due": "2026-11-20T18:00:00+08:00"}
HANDSHAKE = (
    "GET /ws/v1 HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def slow(address: str, stack: AsyncExitStack) -> socket.socket:
    """A client that asks and never reads: its kernel takes as little as it can."""
    host, _, port = address.rpartition(":")
    one = stack.enter_context(socket.socket())
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    one.settimeout(0)
    await asyncio.get_running_loop().sock_connect(one, (host, int(port)))
    await asyncio.get_running_loop().sock_sendall(one, HANDSHAKE.format(host=address).encode())
    return one


async def test_the_client_after_the_last_seat_is_refused_with_a_reason_and_a_seat_comes_free(tmp_path: Path) -> None:
    async with serving(create(LINE, SampleView(tmp_path))) as address, AsyncExitStack() as stack:
        url = f"ws://{address}/ws/v1"
        seated = [await stack.enter_async_context(websockets.connect(url, proxy=None)) for _ in range(MOST_CLIENTS)]
        for one in seated:
            assert json.loads(await one.recv())["type"] == "snapshot"
        async with websockets.connect(url, proxy=None) as late:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await late.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, str(MOST_CLIENTS) in closed.value.rcvd.reason) == (1013, True)
        await seated[0].close()
        async with asyncio.timeout(20):
            while True:
                async with websockets.connect(url, proxy=None) as again:
                    try:
                        assert json.loads(await again.recv())["type"] == "snapshot"
                        break
                    except websockets.ConnectionClosed:
                        continue


async def test_two_hundred_clients_that_never_read_cost_bounded_memory_and_nobody_s_answer(tmp_path: Path) -> None:
    view = SampleView(tmp_path)
    async with serving(create(LINE, view)) as address, AsyncExitStack() as stack:
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        for _ in range(200):
            await slow(address, stack)
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
            for step in range(1, 11):
                view.commit(replace(LINE_NOW, seq=48213 + step))
                said = (await client.get("/api/v1/line")).json()
                assert said["ledger"]["seq"] == 48213 + step
                await asyncio.sleep(0)
        assert tracemalloc.get_traced_memory()[1] < ROOMY


async def test_a_client_that_takes_nothing_loses_its_seat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CLIENTS", 1)
    monkeypatch.setattr(server, "PACE_S", 0.0)
    monkeypatch.setattr(watch, "PATIENCE_S", 0.2)
    view = SampleView(tmp_path)
    async with serving(create(LINE, view)) as address, AsyncExitStack() as stack:
        seated = await slow(address, stack)
        assert await asyncio.get_running_loop().sock_recv(seated, 12) == b"HTTP/1.1 101"
        step = 0
        async with asyncio.timeout(30):
            while True:
                for _ in range(50):
                    step += 1
                    view.commit(replace(LINE_NOW, seq=48213 + step))
                    await asyncio.sleep(0)
                async with websockets.connect(f"ws://{address}/ws/v1", proxy=None) as other:
                    try:
                        assert json.loads(await other.recv())["type"] == "snapshot"
                        break
                    except websockets.ConnectionClosed:
                        continue


async def test_orders_beyond_the_allowance_are_told_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ORDERS_AT_ONCE", 3.0)
    monkeypatch.setattr(server, "ORDERS_A_SECOND", 0.001)
    view, known = SampleView(tmp_path), people(tmp_path / "access")
    headers = known.headers(Role.ENGINEER)
    async with (
        serving(create(LINE, view, access=known.access)) as address,
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, headers=headers) as client,
    ):
        replies = [await client.post("/api/v1/orders", json={**ORDER, "order": f"J{n}"}) for n in range(5)]
        assert [reply.status_code for reply in replies] == [201, 201, 201, 429, 429]
        assert int(replies[-1].headers["retry-after"]) > 1
        assert len(view.orders) == 3
        assert (await client.get("/api/v1/line")).status_code == 200


def test_seats_and_allowance_never_give_more_than_they_have() -> None:
    seats = Seats(2)
    assert [seats.take() for _ in range(3)] == [True, True, False]
    seats.give_back()
    assert seats.take()
    allowance = Allowance(rate=2.0, burst=3.0)
    assert [allowance.wait(10.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert allowance.wait(10.25) == 0.25
    assert allowance.wait(10.5) == 0.0
    assert [allowance.wait(99.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
