"""One level of a server's address space, over a session of its own that is gone afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.uaerrors import UaError

from drivers.contract import NotConnectedError
from drivers.opcua.device import OpcuaDevice
from drivers.opcua.session import Session
from drivers.opcua.survey import datatype_of

BROWSING = frozenset({"BrowseRequest"})
PART = 100  # attributes read in one request
LONGEST_VALUE = 120
CLASSES = ua.NodeClass.Object | ua.NodeClass.Variable


@dataclass(frozen=True, slots=True)
class Node:
    """A child: its whole node id, and of a variable its datatype and value as text, None and "" where not one of ours.

    An array has a value and no datatype.
    """

    node: str
    name: str
    is_variable: bool
    datatype: str | None
    value: str


@dataclass(frozen=True, slots=True)
class Level:
    """Children of a node; `more` where the server has some beyond those asked for. `own` is the device's namespace."""

    nodes: tuple[Node, ...]
    more: bool
    own: int


async def level(device: OpcuaDevice, node: str, most: int) -> Level:
    """At most `most` children of a node, of Objects where `node` is "".

    NotConnectedError for whatever the server or the network does, ValueError for what is no node id.
    """
    parent = node_id(node)
    session = Session(device, BROWSING)
    try:
        await session.open()
        own = await session.namespace()
        try:
            return await _look(session, parent, most, own)
        except (UaError, TimeoutError) as error:
            raise NotConnectedError(f"{device.url} does not tell what is below {node or 'Objects'}: {error}") from error
    finally:
        await session.close()


def node_id(text: str) -> ua.NodeId:
    """The node of a text such as ns=2;s=press1; ValueError with the remedy where it is none."""
    if not text:
        return ua.NodeId(ua.Int32(ObjectIds.ObjectsFolder))
    try:
        return ua.NodeId.from_string(text)
    except (UaError, ValueError) as error:
        raise ValueError(f"write a node id such as 'ns=2;s=press1', not {text!r}") from error


async def _look(session: Session, parent: ua.NodeId, most: int, own: int) -> Level:
    asked = ua.BrowseDescription(
        NodeId=parent,
        BrowseDirection=ua.BrowseDirection.Forward,
        ReferenceTypeId=ua.NodeId(ua.Int32(ObjectIds.HierarchicalReferences)),
        IncludeSubtypes=True,
        NodeClassMask=ua.UInt32(CLASSES),
        ResultMask=ua.UInt32(ua.BrowseResultMask.All),
    )
    terms = ua.BrowseParameters(RequestedMaxReferencesPerNode=ua.UInt32(most), NodesToBrowse=[asked])
    (result,) = await session.services.browse(terms)
    result.StatusCode.check()
    found = {one.NodeId: one for one in result.References or []}  # one that is referred to twice is one
    shown = list(found.values())[:most]
    variables = [one.NodeId for one in shown if one.NodeClass == ua.NodeClass.Variable]
    types = dict(zip(variables, await _attributes(session, variables, AttributeIds.DataType), strict=True))
    # A value of a type of the server's own would not be let in; it could be no tag either.
    plain = [node for node in variables if datatype_of(types[node])]
    values = dict(zip(plain, await _attributes(session, plain, AttributeIds.Value), strict=True))
    nodes = tuple(_node(one, types, values) for one in shown)
    # What the server holds for the rest of a long level goes with the session.
    return Level(nodes, bool(result.ContinuationPoint) or len(found) > most, own)


def _node(one: ua.ReferenceDescription, types: dict[Any, Any], values: dict[Any, Any]) -> Node:
    is_variable = one.NodeClass == ua.NodeClass.Variable
    value = values.get(one.NodeId)
    kind = datatype_of(types.get(one.NodeId)) if is_variable and not isinstance(value, list) else None
    name = one.DisplayName.Text or one.BrowseName.Name or ""
    return Node(one.NodeId.to_string(), name, is_variable, kind, _text(value) if is_variable else "")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{len(value)}] {', '.join(map(str, value[:8]))}"[:LONGEST_VALUE]
    return "" if value is None else str(value)[:LONGEST_VALUE]


async def _attributes(session: Session, nodes: list[ua.NodeId], attribute: AttributeIds) -> list[Any]:
    """An attribute of each node, None where it has none."""
    told: list[Any] = []
    for start in range(0, len(nodes), PART):
        cells = await session.services.read_attributes(nodes[start : start + PART], attribute)
        told += [cell.Value.Value if cell.Value is not None else None for cell in cells]
    return told
