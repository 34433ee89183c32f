"""The fault proxy breaks links in the way each mode says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from random import Random

import pytest

from simulators.proxy import FaultProxy


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
    writer.close()


@pytest.fixture
async def proxy() -> AsyncGenerator[FaultProxy]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with FaultProxy("127.0.0.1", server.sockets[0].getsockname()[1], delay=0.2) as proxy:
        yield proxy
    server.close()
    await server.wait_closed()


async def ask(proxy: FaultProxy, words: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(words)
        return await reader.readexactly(len(words))
    finally:
        writer.close()


@pytest.mark.parametrize("mode", ["pass", "drip", "delay"])
async def test_bytes_arrive_whole_and_in_order(proxy, mode):
    proxy.mode = mode
    assert await ask(proxy, b"twelve bytes") == b"twelve bytes"


async def test_a_hole_swallows_what_is_sent_and_keeps_the_link_open(proxy):
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"a")
    assert await reader.readexactly(1) == b"a"
    await proxy.switch("hole")
    writer.write(b"b")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.2)
    await proxy.switch("pass")
    writer.write(b"c")
    assert await reader.readexactly(1) == b"c"
    writer.close()


async def test_a_refusing_proxy_cuts_its_links_and_opens_the_same_port_again(proxy):
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"a")
    assert await reader.readexactly(1) == b"a"
    port = proxy.port
    await proxy.switch("refuse")
    assert await reader.read(1) == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await proxy.switch("pass")
    assert proxy.port == port
    assert await ask(proxy, b"back") == b"back"


async def test_a_reset_reaches_old_and_new_links(proxy):
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"a")
    assert await reader.readexactly(1) == b"a"
    await proxy.switch("rst")
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    writer.close()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await ask(proxy, b"new")
    assert proxy.links == 0


async def test_a_mode_that_does_not_exist_is_named_with_its_remedy(proxy):
    with pytest.raises(ValueError, match="choose one of pass, hole"):
        await proxy.switch("slow")
    with pytest.raises(ValueError, match="choose one of pass, hole"):
        proxy.mode = "slow"


async def test_a_closing_proxy_ends_its_links_without_a_reset(proxy):
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"a")
    assert await reader.readexactly(1) == b"a"
    await proxy.switch("fin")
    assert await reader.read() == b""
    writer.close()


async def test_a_torn_answer_ends_in_its_middle_and_the_link_with_it(proxy):
    proxy.mode = "torn"
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"twelve bytes")
    assert await reader.read() == b"twelve"
    writer.close()


async def test_garbage_comes_back_as_long_as_the_answer_and_repeats_with_its_seed(proxy):
    proxy.mode = "garbage"
    told = await ask(proxy, b"twelve bytes")
    assert told == Random(0).randbytes(12) != b"twelve bytes"
