"""Sparkplug B payloads as bytes, by the specification's field numbers; what this node never sends is left out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from gateway.sparkplug.metric import DataType, Value

PACKAGE = "tanchang.sparkplug"
TYPES = {
    name.removeprefix("TYPE_").lower(): number for name, number in descriptor_pb2.FieldDescriptorProto.Type.items()
}
REPEATED = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED

# message: (number, name, type or message, repeated or one of the values)
LAYOUT: Mapping[str, tuple[tuple[int, str, str, str], ...]] = {
    "Payload": (
        (1, "timestamp", "uint64", ""),
        (2, "metrics", "Metric", "repeated"),
        (3, "seq", "uint64", ""),
    ),
    "Metric": (
        (1, "name", "string", ""),
        (2, "alias", "uint64", ""),
        (3, "timestamp", "uint64", ""),
        (4, "datatype", "uint32", ""),
        (5, "is_historical", "bool", ""),
        (7, "is_null", "bool", ""),
        (9, "properties", "PropertySet", ""),
        (10, "int_value", "uint32", "value"),
        (11, "long_value", "uint64", "value"),
        (12, "float_value", "float", "value"),
        (13, "double_value", "double", "value"),
        (14, "boolean_value", "bool", "value"),
        (15, "string_value", "string", "value"),
    ),
    "PropertySet": ((1, "keys", "string", "repeated"), (2, "values", "PropertyValue", "repeated")),
    "PropertyValue": (
        (1, "type", "uint32", ""),
        (2, "is_null", "bool", ""),
        (3, "int_value", "uint32", "value"),
        (4, "long_value", "uint64", "value"),
        (5, "float_value", "float", "value"),
        (6, "double_value", "double", "value"),
        (7, "boolean_value", "bool", "value"),
        (8, "string_value", "string", "value"),
    ),
}
FIELD = {
    DataType.INT32: "int_value",
    DataType.INT64: "long_value",
    DataType.DOUBLE: "double_value",
    DataType.BOOLEAN: "boolean_value",
    DataType.STRING: "string_value",
}
BITS = {DataType.INT32: 32, DataType.INT64: 64}


@dataclass(frozen=True, slots=True)
class Field:
    """A metric as it goes over the wire: what is None is not sent, but a `value` of None is null; `time` in ms UTC."""

    value: Value
    name: str | None = None
    alias: int | None = None
    time: int | None = None
    type: int | None = None
    historical: bool = False
    properties: Mapping[str, tuple[DataType, Value]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Payload:
    """A message's content; `time` in ms since 1970 UTC, `seq` None where the message has none."""

    time: int | None
    seq: int | None
    fields: tuple[Field, ...]


class PayloadError(Exception):
    """These bytes are no Sparkplug B payload."""


def encode(payload: Payload, types: Mapping[int, DataType] | None = None) -> bytes:
    """The payload as bytes; `types` has the datatype of each alias that is sent without its own."""
    message = _new("Payload")
    if payload.time is not None:
        message.timestamp = payload.time
    if payload.seq is not None:
        message.seq = payload.seq
    for one in payload.fields:
        _put_metric(message.metrics.add(), one, types or {})
    raw: bytes = message.SerializeToString(deterministic=True)
    return raw


def decode(raw: bytes) -> Payload:
    """What the bytes say. A value without a datatype, or of one this node never sends, comes as it is on the wire."""
    message = _new("Payload")
    try:
        message.ParseFromString(raw)
    except DecodeError as error:
        raise PayloadError(f"no Sparkplug B payload ({error})") from error
    time = message.timestamp if message.HasField("timestamp") else None
    seq = message.seq if message.HasField("seq") else None
    return Payload(time, seq, tuple(_field(metric) for metric in message.metrics))


def _put_metric(metric: Any, one: Field, types: Mapping[int, DataType]) -> None:
    head = {"name": one.name, "alias": one.alias, "timestamp": one.time, "datatype": one.type}
    for name, given in head.items():
        if given is not None:
            setattr(metric, name, given)
    if one.historical:
        metric.is_historical = True
    _put_value(metric, DataType(one.type) if one.type is not None else types[one.alias or 0], one.value)
    for key, (kind, value) in one.properties.items():
        metric.properties.keys.append(key)
        entry = metric.properties.values.add()
        entry.type = kind
        _put_value(entry, kind, value)


def _put_value(message: Any, kind: DataType, value: Value) -> None:
    if value is None:
        message.is_null = True
    elif kind in BITS:
        setattr(message, FIELD[kind], int(value) & (1 << BITS[kind]) - 1)
    else:
        setattr(message, FIELD[kind], value)


def _field(metric: Any) -> Field:
    kind = metric.datatype if metric.HasField("datatype") else None
    keys, values = metric.properties.keys, metric.properties.values
    known = {key: entry for key, entry in zip(keys, values, strict=False) if entry.type in FIELD}
    return Field(
        value=_value(metric, kind),
        name=metric.name if metric.HasField("name") else None,
        alias=metric.alias if metric.HasField("alias") else None,
        time=metric.timestamp if metric.HasField("timestamp") else None,
        type=kind,
        historical=metric.is_historical,
        properties={key: (DataType(entry.type), _value(entry, entry.type)) for key, entry in known.items()},
    )


def _value(message: Any, kind: int | None) -> Value:
    held = message.WhichOneof("value")
    if held is None:
        return None
    value: Value = getattr(message, held)
    bits = BITS.get(DataType(kind)) if kind in FIELD else None
    if bits is not None and isinstance(value, int) and value >= 1 << bits - 1:
        return value - (1 << bits)
    return value


def _classes() -> dict[str, Any]:
    """The message classes that LAYOUT describes, built by the protobuf runtime: no generated code to keep in step."""
    file = descriptor_pb2.FileDescriptorProto(name="tanchang/sparkplug.proto", package=PACKAGE, syntax="proto2")
    for message, layout in LAYOUT.items():
        described = file.message_type.add(name=message)
        for number, name, kind, how in layout:
            entry = described.field.add(name=name, number=number, label=REPEATED if how == "repeated" else 1)
            if kind in TYPES:
                entry.type = TYPES[kind]
            else:
                entry.type, entry.type_name = TYPES["message"], f".{PACKAGE}.{kind}"
            if how == "value":
                entry.oneof_index = 0
        if any(how == "value" for *_, how in layout):
            described.oneof_decl.add(name="value")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in LAYOUT}


CLASSES = _classes()


def _new(name: str) -> Any:
    return CLASSES[name]()
