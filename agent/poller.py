"""One task per device: connect, read, hand over, acknowledge what is on disk, back off, report faults."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, TypeVar

from agent import faults
from agent.ledger import LedgerError
from agent.model import Batch
from agent.recorder import Recorder
from drivers.contract import Device, Driver, MisconfiguredError, NotConnectedError, UntrustedError
from drivers.frames import Frames

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
MAX_PENDING = 32  # batches on their way to disk, some three seconds at ten a second; then reading waits

T = TypeVar("T")
log = logging.getLogger(__name__)


class Poller:
    """Keeps one device read. `make` builds a fresh driver for every attempt; `jitter` spreads them.

    `heard` is told of every batch before it is recorded; it must be quick. `kept` is what the last process left.
    `frames` has the last frames of all links in turn.
    """

    def __init__(
        self,
        device: Device,
        make: Callable[[], Driver[Any]],
        recorder: Recorder,
        jitter: Random,
        heard: Callable[[str, Batch], None] = lambda _device, _batch: None,
        kept: object | None = None,
        frames: Frames | None = None,
    ) -> None:
        self.device = device
        self._make = make
        self._recorder = recorder
        self._jitter = jitter
        self._heard = heard
        self._frames = frames or Frames()
        self._failures = 0
        self._kept = kept  # what a driver whose link broke left to the next one

    async def run(self) -> None:
        """Until cancelled; returns alone where the device will never give what is asked. LedgerError ends the agent."""
        while True:
            try:
                await self._session()
            except MisconfiguredError as error:
                return await self._fail("misconfigured", error)
            except UntrustedError as error:
                await self._fail("untrusted", error)
            except (NotConnectedError, OSError) as error:  # TimeoutError is an OSError
                await self._fail("not_connected", error)
            except LedgerError:
                raise
            except Exception as error:  # noqa: BLE001 - one device's bug must not end the others
                await self._fail("internal", error)
            await asyncio.sleep(self._pause())

    async def _session(self) -> None:
        """One life of the link; ends by raising."""
        driver = self._make()
        driver.frames = self._frames
        if self._kept is not None:
            driver.resume(self._kept)
        self._kept = None
        try:
            origin = await self._within(self.device.timeout, driver.connect(self.device.tags))
            await self._recorder.connected(self.device.name, origin)
            await self._read_on(driver)
        except (NotConnectedError, OSError):
            self._kept = driver.keep()
            raise
        finally:
            with contextlib.suppress(Exception):
                await self._within(self.device.timeout, driver.close())

    async def _read_on(self, driver: Driver[Any]) -> None:
        """Read while commits are pending, acknowledge in order what is on disk; what only memory holds, never."""
        pending: deque[tuple[asyncio.Task[bool], int]] = deque()
        patience = self.device.timeout + max(tag.every for tag in self.device.tags)
        try:
            while True:
                batch = await self._within(patience, driver.read())
                self._heard(self.device.name, batch)
                taking = asyncio.create_task(
                    self._recorder.take(self.device.name, batch), name=f"take {self.device.name}"
                )
                pending.append((taking, batch.token))
                await self._well()
                while pending and (pending[0][0].done() or len(pending) > MAX_PENDING):
                    kept = await pending[0][0]
                    _, token = pending.popleft()
                    if kept:
                        await driver.acknowledge(token)
        finally:
            await asyncio.sleep(0)  # a batch just handed over gets to the recorder
            for task, _ in pending:
                task.cancel()
            await asyncio.gather(*(task for task, _ in pending), return_exceptions=True)

    async def _within(self, seconds: float, call: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(seconds):
                return await call
        except TimeoutError:
            raise NotConnectedError(f"no answer within {seconds:g} s") from None
        finally:
            # Python 3.11's wait_for, of which libraries make use, loses a cancellation that comes with its answer
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError

    async def _well(self) -> None:
        """The device gives values: what was wrong is over."""
        self._failures = 0
        for fault in await self._recorder.clear(self.device.name):
            log.info("%s: %s is over", self.device.name, fault.code)

    async def _fail(self, code: str, error: Exception) -> None:
        """Mark what the device tells of as unknown; say why once."""
        message = f"{self.device.address}: {error}" if str(error) else f"{self.device.address}: {type(error).__name__}"
        if self._failures == 0:
            self._frames.broke(time.time_ns(), message)
        self._failures += 1
        fault = faults.fault(self.device.name, code, message, self._recorder.plant_time())
        if await self._recorder.disconnected(self.device.name, fault):
            trace = error if code == "internal" else None
            log.warning("%s: %s (%s). %s", fault.source, fault.message, code, fault.remedy, exc_info=trace)

    def _pause(self) -> float:
        """Exponential back-off with full jitter."""
        longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(self._failures, 10))
        return self._jitter.uniform(0.0, longest)
