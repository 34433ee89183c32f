"""What an OPC UA server has: who it is, how it may be called, its limits, namespaces and variables, how fast it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.observer import Observer
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.uaerrors import UaError

from drivers.contract import NotConnectedError

SERVICES = frozenset(
    {
        "GetEndpointsRequest",
        "CreateSessionRequest",
        "ActivateSessionRequest",
        "CloseSessionRequest",
        "ReadRequest",
        "BrowseRequest",
        "BrowseNextRequest",
    }
)
"""The only services that a survey sends, next to opening and closing the channel."""

LIMITS = {
    "MaxNodesPerRead": ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
    "MaxNodesPerBrowse": ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse,
    "MaxMonitoredItemsPerCall": ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
    "MinSupportedSampleRate": ObjectIds.Server_ServerCapabilities_MinSupportedSampleRate,
}
DATATYPES = {
    **dict(enumerate(("bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64", "text"), start=1)),
    13: "datetime",
    294: "datetime",
}
"""The standard's data types, by number -> ours."""
HOLDERS = (ua.NodeClass.Object, ua.NodeClass.Variable)
PART = 100
ROUNDS = 20
SESSION_TIMEOUT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable: its node id without the namespace, its datatype where we have one, its value now."""

    namespace: int
    node: str
    name: str
    datatype: str | None
    value: str


@dataclass(frozen=True, slots=True)
class Found:
    """The server; `whole` is False where it has more nodes than were asked for."""

    product: str
    endpoints: tuple[str, ...]
    limits: dict[str, Any]
    namespaces: tuple[str, ...]
    variables: tuple[Variable, ...]
    whole: bool
    median_s: float
    slowest_s: float


class OnlyServices(Observer):
    """Stops any request that is not on the list before it is sent."""

    def observe_request(self, request: Any) -> AbstractContextManager[None]:
        name = type(request).__name__
        if name not in SERVICES:
            raise ValueError(f"{name} is no part of a survey; it is never sent")
        return nullcontext()


async def survey(url: str, most: int, timeout: float, now: Callable[[], float]) -> Found:
    """Look at up to `most` nodes over an unsecured channel. `now` is a monotonic clock in seconds."""
    client = Client(url, timeout=timeout)
    client.session_timeout = SESSION_TIMEOUT_MS
    client.uaclient.observer = OnlyServices()
    try:
        async with client:
            return await _look(client, most, now)
    except (OSError, UaError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise NotConnectedError(
            f"{url} does not open an unsecured session ({error or type(error).__name__}); check address and port, "
            "and allow security None on an isolated network for the survey"
        ) from error


async def _look(client: Client, most: int, now: Callable[[], float]) -> Found:
    build = (await client.get_node(ObjectIds.Server_ServerStatus).read_value()).BuildInfo
    endpoints = await client.get_endpoints()
    modes = [f"{e.SecurityPolicyUri.rpartition('#')[2]} {e.SecurityMode.name.rstrip('_')}" for e in endpoints]
    limits = await _values(client, [ua.NodeId(ua.Int32(number)) for number in LIMITS.values()])
    nodes, whole = await _variables(client, most)
    took: list[float] = []
    for _ in range(ROUNDS):
        start = now()
        await client.get_node(ObjectIds.Server_ServerStatus_CurrentTime).read_value()
        took.append(now() - start)
    return Found(
        " ".join(filter(None, (build.ManufacturerName, build.ProductName, build.SoftwareVersion))),
        tuple(dict.fromkeys(modes)),
        dict(zip(LIMITS, limits, strict=True)),
        tuple(await client.get_namespace_array()),
        tuple(await _described(client, nodes)),
        whole,
        sorted(took)[ROUNDS // 2],
        max(took),
    )


async def _variables(client: Client, most: int) -> tuple[list[ua.ReferenceDescription], bool]:
    """The variables below Objects that are not the standard's own, breadth first; False where there are more."""
    waiting = [ua.NodeId(ua.Int32(ObjectIds.ObjectsFolder))]
    seen = set(waiting)
    found: list[ua.ReferenceDescription] = []
    while waiting:
        for child in await client.get_node(waiting.pop(0)).get_children_descriptions():
            node = child.NodeId
            if node in seen or node.Identifier == ObjectIds.Server or child.NodeClass not in HOLDERS:
                continue
            if len(seen) > most:
                return found, False
            seen.add(node)
            waiting.append(node)
            if child.NodeClass == ua.NodeClass.Variable and node.NamespaceIndex != 0:
                found.append(child)
    return found, True


async def _described(client: Client, nodes: Sequence[ua.ReferenceDescription]) -> list[Variable]:
    ids = [node.NodeId for node in nodes]
    types = await _values(client, ids, AttributeIds.DataType)
    values = await _values(client, ids)
    return [
        Variable(
            node.NodeId.NamespaceIndex,
            node.NodeId.to_string().partition(";")[2],  # behind the namespace, which is not the standard's 0
            node.DisplayName.Text or node.BrowseName.Name or "",
            None if isinstance(value, list) else datatype_of(kind),
            str(value),
        )
        for node, kind, value in zip(nodes, types, values, strict=True)
    ]


def datatype_of(kind: Any) -> str | None:
    """Ours of a DataType attribute, None where we have none."""
    if not isinstance(kind, ua.NodeId) or kind.NamespaceIndex != 0:
        return None
    return DATATYPES.get(kind.Identifier) if isinstance(kind.Identifier, int) else None


async def _values(
    client: Client, nodes: Sequence[ua.NodeId], attribute: AttributeIds = AttributeIds.Value
) -> list[Any]:
    """An attribute of each node, None where it has none."""
    told: list[Any] = []
    for start in range(0, len(nodes), PART):
        part = list(nodes[start : start + PART])
        cells = await client.uaclient.session.read_attributes(part, attribute)
        told += [cell.Value.Value if cell.Value is not None else None for cell in cells]
    return told
