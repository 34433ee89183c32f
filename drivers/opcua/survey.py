"""What an OPC UA server has: how it may be called, who it is, its limits, namespaces and variables, how fast it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.ua.object_ids import ObjectIds

from drivers.opcua.browse import below, contents, datatype_of, looking
from drivers.opcua.device import OpcuaServer
from drivers.opcua.examine import own
from drivers.opcua.identity import SERVER_STATUS
from drivers.opcua.pki import Shown, shown
from drivers.opcua.security import best
from drivers.opcua.services import LOOKING
from drivers.opcua.session import NAMESPACES, Session

LIMITS = {
    "MaxNodesPerRead": ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
    "MaxNodesPerBrowse": ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse,
    "MaxMonitoredItemsPerCall": ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
    "MinSupportedSampleRate": ObjectIds.Server_ServerCapabilities_MinSupportedSampleRate,
}
CURRENT_TIME = ObjectIds.Server_ServerStatus_CurrentTime
ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A way to call the server, and by what users may log in there: Anonymous, UserName, Certificate."""

    policy: str
    mode: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """All endpoints, the one that a signed and encrypted channel would take, and the certificate shown there.

    `others` are servers that this one knows of, as a discovery server does: by name, where each is called.
    """

    endpoints: tuple[Endpoint, ...]
    best: Endpoint | None
    certificate: Shown | None
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable: its node id without the namespace, its datatype where we have one, its value now as text."""

    namespace: int
    node: str
    name: str
    datatype: str | None
    value: str


@dataclass(frozen=True, slots=True)
class Found:
    """The server; `whole` is False where it has more nodes than were asked for."""

    product: str
    limits: dict[str, Any]
    namespaces: tuple[str, ...]
    variables: tuple[Variable, ...]
    whole: bool
    median_s: float
    slowest_s: float


async def offer(server: OpcuaServer) -> Offer:
    """What the server tells whoever asks. No session is opened for it, and nothing of it is believed."""
    session = Session(server, LOOKING)
    try:
        endpoints, servers = await session.endpoints(), await session.servers()
    finally:
        await session.close()
    taken, certificate = best(endpoints), None
    if taken is not None:
        with suppress(ValueError):  # what is no certificate is refused with its own words
            certificate = shown(server.url, own(bytes(taken.ServerCertificate or b"")))
    others = _others(servers, {one.Server.ApplicationUri for one in endpoints})
    return Offer(tuple(map(_endpoint, endpoints)), None if taken is None else _endpoint(taken), certificate, others)


async def survey(server: OpcuaServer, most: int, now: Callable[[], float]) -> Found:
    """Look at up to `most` nodes over a channel as the server's table has it. `now` is a monotonic clock in seconds."""
    async with looking(server, "what it has") as session:
        build = getattr((await session.read([SERVER_STATUS]))[0], "BuildInfo", None) or ua.BuildInfo()
        limits = await session.read(list(LIMITS.values()))
        nodes, whole = await _variables(session, most)
        took: list[float] = []
        for _ in range(ROUNDS):
            start = now()
            await session.read([CURRENT_TIME])
            took.append(now() - start)
        return Found(
            " ".join(filter(None, (build.ManufacturerName, build.ProductName, build.SoftwareVersion))),
            dict(zip(LIMITS, limits, strict=True)),
            tuple((await session.read([NAMESPACES]))[0] or ()),
            tuple(await _described(session, nodes)),
            whole,
            sorted(took)[ROUNDS // 2],
            max(took),
        )


def _others(servers: list[ua.ApplicationDescription], asked: set[str | None]) -> tuple[tuple[str, str], ...]:
    others = (one for one in servers if one.ApplicationUri not in asked)
    return tuple((one.ApplicationName.Text or "", url) for one in others for url in one.DiscoveryUrls or () if url)


def _endpoint(one: ua.EndpointDescription) -> Endpoint:
    users = (token.TokenType.name.rstrip("_") for token in one.UserIdentityTokens or ())
    policy = (one.SecurityPolicyUri or "").rpartition("#")[2]
    return Endpoint(policy, one.SecurityMode.name.rstrip("_"), tuple(dict.fromkeys(users)))


async def _variables(session: Session, most: int) -> tuple[list[ua.ReferenceDescription], bool]:
    """The variables below Objects that are not the standard's own, breadth first; False where there are more."""
    waiting = [ua.NodeId(ua.Int32(ObjectIds.ObjectsFolder))]
    seen = set(waiting)
    found: list[ua.ReferenceDescription] = []
    while waiting:
        for child in await _children(session, waiting.pop(0), most):
            node = child.NodeId
            if node in seen or node.Identifier == ObjectIds.Server:
                continue
            if len(seen) > most:
                return found, False
            seen.add(node)
            waiting.append(node)
            if child.NodeClass == ua.NodeClass.Variable and node.NamespaceIndex != 0:
                found.append(child)
    return found, True


async def _children(session: Session, parent: ua.NodeId, most: int) -> list[ua.ReferenceDescription]:
    """What is right below a node, all of it or more than `most`; nothing where the server does not tell."""
    result = await below(session, parent)
    found = list(result.References or ())
    while result.ContinuationPoint and len(found) <= most:
        rest = ua.BrowseNextParameters(ReleaseContinuationPoints=False, ContinuationPoints=[result.ContinuationPoint])
        (result,) = await session.services.browse_next(rest)
        found += result.References or ()
    return found


async def _described(session: Session, nodes: list[ua.ReferenceDescription]) -> list[Variable]:
    types, values = await contents(session, [node.NodeId for node in nodes])
    return [
        Variable(
            node.NodeId.NamespaceIndex,
            node.NodeId.to_string().partition(";")[2],  # behind the namespace, which is not the standard's 0
            node.DisplayName.Text or node.BrowseName.Name or "",
            None if isinstance(values.get(node.NodeId), list) else datatype_of(types[node.NodeId]),
            str(values.get(node.NodeId, "")),
        )
        for node in nodes
    ]
