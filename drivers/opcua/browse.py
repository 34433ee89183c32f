"""A server's address space, looked at over a session of its own that is gone afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.uaerrors import UaError

from drivers.contract import DriverError, NotConnectedError
from drivers.opcua.device import OpcuaDevice, OpcuaServer
from drivers.opcua.services import LOOKING
from drivers.opcua.session import Session

PART = 100  # attributes read in one request
LONGEST_VALUE = 120
CLASSES = ua.NodeClass.Object | ua.NodeClass.Variable
DATATYPES = {
    **dict(enumerate(("bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64", "text"), start=1)),
    13: "datetime",
    294: "datetime",
}
"""The standard's data types, by number -> ours."""


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


@asynccontextmanager
async def looking(server: OpcuaServer, what: str) -> AsyncIterator[Session]:
    """A session for a look at `what`. NotConnectedError for whatever the server or the network does."""
    session = Session(server, LOOKING)
    try:
        await session.open()
        yield session
    except DriverError:
        raise
    except Exception as error:  # a library's decoder raises anything on what a server may send
        raise NotConnectedError(f"{server.url} does not tell {what}: {error or type(error).__name__}") from error
    finally:
        await session.close()


async def level(device: OpcuaDevice, node: str, most: int) -> Level:
    """At most `most` children of a node, of Objects where `node` is "".

    NotConnectedError for whatever the server or the network does, ValueError for what is no node id.
    """
    parent = node_id(node)
    async with looking(device, f"what is below {node or 'Objects'}") as session:
        return await _look(session, parent, most, await session.namespace(device.namespace))


def node_id(text: str) -> ua.NodeId:
    """The node of a text such as ns=2;s=press1; ValueError with the remedy where it is none."""
    if not text:
        return ua.NodeId(ua.Int32(ObjectIds.ObjectsFolder))
    try:
        return ua.NodeId.from_string(text)
    except (UaError, ValueError) as error:
        raise ValueError(f"write a node id such as 'ns=2;s=press1', not {text!r}") from error


async def below(session: Session, parent: ua.NodeId, most: int = 0) -> ua.BrowseResult:
    """Objects and variables right below a node, at most `most`, with 0 as many as the server puts in one answer."""
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
    return result


async def _look(session: Session, parent: ua.NodeId, most: int, own: int) -> Level:
    result = await below(session, parent, most)
    result.StatusCode.check()
    found = {one.NodeId: one for one in result.References or []}  # one that is referred to twice is one
    shown = list(found.values())[:most]
    variables = [one.NodeId for one in shown if one.NodeClass == ua.NodeClass.Variable]
    types, values = await contents(session, variables)
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


async def contents(session: Session, variables: Sequence[ua.NodeId]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """By node the DataType attribute, and the value where that is one of ours.

    A value of a type of the server's own would not be let in; it could be no tag either.
    """
    types = dict(zip(variables, await _attributes(session, variables, AttributeIds.DataType), strict=True))
    plain = [node for node in variables if datatype_of(types[node])]
    return types, dict(zip(plain, await _attributes(session, plain, AttributeIds.Value), strict=True))


def datatype_of(kind: Any) -> str | None:
    """Ours of a DataType attribute, None where we have none."""
    if not isinstance(kind, ua.NodeId) or kind.NamespaceIndex != 0:
        return None
    return DATATYPES.get(kind.Identifier) if isinstance(kind.Identifier, int) else None


async def _attributes(session: Session, nodes: Sequence[ua.NodeId], attribute: AttributeIds) -> list[Any]:
    """An attribute of each node, None where it has none."""
    told: list[Any] = []
    for start in range(0, len(nodes), PART):
        cells = await session.services.read_attributes(list(nodes[start : start + PART]), attribute)
        told += [cell.Value.Value if cell.Value is not None else None for cell in cells]
    return told
