"""What a device has beyond the tags of the line file, looked at by an engineer: one look at a time, each bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from pydantic import Field

from gateway.panel.access import allow
from gateway.panel.accounts import Body
from gateway.panel.roles import May

ADDRESS = "/api/v1/explorer"
MOST_REGISTERS = 32
LONGEST_LOOK_S = 15.0


@dataclass(frozen=True, slots=True)
class Place:
    """A device: `look` is nodes, registers, or "" where nothing can be looked at, and `why` says so."""

    name: str
    driver: str
    address: str
    look: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a level: `value` as text, `tag` its line for the line file where its datatype is one of ours."""

    node: str
    name: str
    is_variable: bool
    datatype: str | None
    value: str
    tag: str


@dataclass(frozen=True, slots=True)
class Level:
    """Children of a node; `more` where there are some beyond those told."""

    nodes: tuple[Node, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Register:
    """A register: its address, as numbers; `floats` with the next one by word order; `tags` by datatype and order."""

    address: str
    u16: int
    i16: int
    floats: Mapping[str, str]
    tags: Mapping[str, str]


class LookError(Exception):
    """Nothing was told; the message has the remedy."""


class Explorer(Protocol):
    """Looks through connections of its own that are gone afterwards. LookError where a device does not answer."""

    def places(self) -> Sequence[Place]:
        """The devices of the line file."""

    async def nodes(self, device: str, node: str) -> Level:
        """The children of a node of an OPC UA server, of Objects for ""; KeyError where there is no such device."""

    async def registers(self, device: str, address: str, count: int) -> Sequence[Register]:
        """Registers of a Modbus unit; KeyError where there is no such device."""


class AskNodes(Body):
    """Which node's children."""

    node: str = Field("", max_length=512)


class AskRegisters(Body):
    """From where on, as the line file writes it, and how many."""

    address: str = Field(max_length=16)
    count: Annotated[int, Field(ge=1, le=MOST_REGISTERS)] = 8


def add_explorer(app: FastAPI, explorer: Explorer) -> None:
    """To see the devices, and to look."""
    one_at_a_time = asyncio.Lock()

    @app.get(ADDRESS, dependencies=[allow(May.CONFIGURE)])
    async def places() -> JSONResponse:
        return _fresh({"devices": [asdict(one) for one in explorer.places()]})

    @app.post(ADDRESS + "/{device}/nodes", dependencies=[allow(May.CONFIGURE)])
    async def nodes(device: str, asked: AskNodes) -> JSONResponse:
        return _fresh(asdict(await look(explorer.nodes(device, asked.node))))

    @app.post(ADDRESS + "/{device}/registers", dependencies=[allow(May.CONFIGURE)])
    async def registers(device: str, asked: AskRegisters) -> JSONResponse:
        found = await look(explorer.registers(device, asked.address, asked.count))
        return _fresh({"registers": [asdict(one) for one in found]})

    async def look(looking: Any) -> Any:
        """A device has few connections to give: somebody else's look is waited out by asking again."""
        if one_at_a_time.locked():
            looking.close()
            raise HTTPException(429, "somebody else is looking: ask again in a moment", {"retry-after": "2"})
        async with one_at_a_time:
            try:
                async with asyncio.timeout(LONGEST_LOOK_S):
                    return await looking
            except KeyError as error:
                raise HTTPException(404, "there is no such device to look at in the line file") from error
            except TimeoutError as error:
                raise HTTPException(409, f"no answer within {LONGEST_LOOK_S:g} s: look at fewer") from error
            except LookError as error:
                raise HTTPException(409, str(error)) from error


def _fresh(content: dict[str, Any]) -> JSONResponse:
    return JSONResponse(content, headers={"cache-control": "no-store"})
