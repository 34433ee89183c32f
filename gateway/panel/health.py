"""How the gateway itself is: what the page shows of it, and the route that tells it. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse

from gateway.panel.access import allow
from gateway.panel.roles import May


@dataclass(frozen=True, slots=True)
class Processor:
    """Shares in percent: of the whole machine, and by the agent of one core."""

    cores: int
    percent: float
    agent_percent: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes; `agent` is the agent's resident set."""

    total: int
    available: int
    agent: int


@dataclass(frozen=True, slots=True)
class Disk:
    """The ledger's disk, bytes. `per_hour` fills it, None while not known; `hours_left` None where it does not fill."""

    total: int
    free: int
    per_hour: float | None
    hours_left: float | None


@dataclass(frozen=True, slots=True)
class Clock:
    """As the kernel has it; None where it does not tell. Seconds."""

    synchronised: bool | None
    offset_s: float | None
    error_s: float | None


@dataclass(frozen=True, slots=True)
class Store:
    """The ledger: bytes and their limit, and how long what was read lately took to be on disk, the slowest link's."""

    durable: bool
    bytes: int
    limit: int
    commit_ms: float | None
    worst_ms: float | None


@dataclass(frozen=True, slots=True)
class Loop:
    """How late the loop that reads the machines came to what was due, of the last minute."""

    median_ms: float
    worst_ms: float


@dataclass(frozen=True, slots=True)
class Health:
    """The gateway at wall time `time` (s since 1970); seconds since its start and the agent's."""

    time: float
    machine_up_s: float
    agent_up_s: float
    processor: Processor
    memory: Memory
    disk: Disk
    clock: Clock
    ledger: Store
    loop: Loop
    versions: Mapping[str, str]


def add_health(app: FastAPI, health: Callable[[], Health | None]) -> None:
    """For all who may look: it has no address and nobody's name."""

    @app.get("/api/v1/health", dependencies=[allow(May.LOOK)])
    async def now() -> JSONResponse:
        known = health()
        if known is None:
            raise HTTPException(503, "not measured yet: ask again in a moment", {"retry-after": "1"})
        return JSONResponse(asdict(known), headers={"cache-control": "no-store"})
