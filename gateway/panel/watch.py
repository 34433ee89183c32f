"""Live updates over one WebSocket: the whole state, newest wins, at most one message a pace, a beat while quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.panel.view import View
from gateway.turns import Turns

# A client that does not take a message for this long is let go: it asks again when it is back.
PATIENCE_S = 10.0
OVER = 1008  # policy violation: the session is over
TRY_LATER = 1013  # RFC 6455 registry: the server is overloaded


async def watch(
    socket: WebSocket,
    view: View,
    whole: Callable[[], str],
    pace_s: float,
    beat_s: float,
    still: Callable[[], bool],
    turns: Turns,
) -> None:
    """Serve one client until it leaves, may look no longer, falls behind for PATIENCE_S, or the server ends.

    `whole` is a JSON object; `still` tells whether it may look; `turns` is for all clients.
    """
    await socket.accept()
    tasks = {
        asyncio.create_task(_tell(socket, view, whole, pace_s, beat_s, still, turns), name="panel tell"),
        asyncio.create_task(_until_gone(socket), name="panel listen"),
    }
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | TimeoutError):
            raise result


async def refuse(socket: WebSocket, reason: str) -> None:
    """Turn a client away with a reason that its page can show."""
    await socket.accept()
    await socket.close(TRY_LATER, reason)


async def _tell(
    socket: WebSocket,
    view: View,
    whole: Callable[[], str],
    pace_s: float,
    beat_s: float,
    still: Callable[[], bool],
    turns: Turns,
) -> None:
    kind = "snapshot"
    while still():
        # Asked before the state is read, so that no commit falls between the two.
        changed = asyncio.ensure_future(view.changed())
        try:
            await turns.take()
            await _send(socket, f"{_head(kind, beat_s)},{whole()[1:]}")
            await asyncio.sleep(pace_s)
            while not (await asyncio.wait({changed}, timeout=beat_s))[0] and still():
                await _send(socket, f"{_head('beat', beat_s)}}}")
            if changed.done():
                changed.result()
        finally:
            changed.cancel()
        kind = "update"
    await socket.close(OVER, "log in again")


def _head(kind: str, beat_s: float) -> str:
    return f'{{"type":"{kind}","beat_s":{beat_s}'


async def _send(socket: WebSocket, message: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await socket.send_text(message)


async def _until_gone(socket: WebSocket) -> None:
    """Nothing a client says matters here; reading tells when it has gone."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
