"""Serves an app on a loopback port of the system's choice, inside the test's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from gateway.listen import listening, server


@contextlib.asynccontextmanager
async def serving(app: FastAPI, port: int = 0) -> AsyncIterator[str]:
    """The address, such as 127.0.0.1:43210, for as long as the block lasts."""
    listener = listening("127.0.0.1", port)
    serve = server(app, "error")
    task = asyncio.create_task(serve.serve([listener]))
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        serve.should_exit = True
        await task
        listener.close()
