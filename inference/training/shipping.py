"""From a torch module to a model folder: one ONNX file and the card that vouches for it. With torch and onnx."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

from inference.card import ANY_SIZE, Card, Golden, Tensor, summary
from inference.session import Session, open_model

OPSET = 18
TOLERANCE = 5e-3  # other processors add up in another order
TABLES = ("settings", "figures", "training")
_DTYPES: Mapping[int, Any] = {
    onnx.TensorProto.FLOAT: "float32",
    onnx.TensorProto.INT64: "int64",
    onnx.TensorProto.UINT8: "uint8",
    onnx.TensorProto.BOOL: "bool",
}


def to_onnx(module: nn.Module, example: Mapping[str, torch.Tensor], outputs: tuple[str, ...]) -> bytes:
    """The module as a self-contained ONNX file of fixed shapes, without traces of where it was made."""
    program = torch.onnx.export(
        module.eval(),
        tuple(example.values()),
        input_names=list(example),
        output_names=list(outputs),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    buffer = io.BytesIO()
    program.save(buffer)
    model = onnx.load_from_string(buffer.getvalue())
    for entry in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        entry.ClearField("metadata_props")
        entry.ClearField("doc_string")
    for entry in (*model.graph.input, *model.graph.output):
        entry.ClearField("metadata_props")
    model.producer_name, model.producer_version = "tanchang", ""
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def try_out(path: Path, content: bytes) -> Session:
    """The file, written to `path` and opened with a card that expects no particular answer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    graph = onnx.load_from_string(content).graph
    outputs = _tensors(graph.output)
    card = Card(
        name=path.parent.name,
        about="",
        licence="",
        file=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        input=_tensors(graph.input),
        output=outputs,
        golden=Golden(low=0.0, high=1.0, expect={tensor.name: (0.0, 0.0, 0.0) for tensor in outputs}, tolerance=inf),
    )
    return Session(path, card)


def ship(folder: Path, content: bytes, span: tuple[float, float], card: Mapping[str, Any]) -> Session:
    """Write model.onnx and card.toml and open them as the agent would.

    `span` is the range of the golden input; `card` has about, licence, settings, figures and training.
    """
    tried = try_out(folder / "model.onnx", content)
    answers = tried.run(Golden(low=span[0], high=span[1], expect={}).inputs(tried.card.input))
    lines = [f"name = {_value(folder.name)}", *_entries({key: card[key] for key in ("about", "licence")})]
    lines += _entries({"file": "model.onnx", "sha256": tried.card.sha256})
    for heading, tensors in (("input", tried.card.input), ("output", tried.card.output)):
        for tensor in tensors:
            lines += ["", f"[[{heading}]]", *_entries(tensor.model_dump())]
    expect = {name: summary(answer) for name, answer in answers.items()}
    golden = {"low": span[0], "high": span[1], "tolerance": TOLERANCE, "expect": expect}
    for heading, table in (("golden", golden), *((heading, card[heading]) for heading in TABLES)):
        lines += ["", f"[{heading}]", *_entries(table)]
    (folder / "card.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return open_model(folder.name, folder.parent)


def _tensors(values: Any) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(
            name=value.name,
            shape=tuple(size.dim_value or ANY_SIZE for size in value.type.tensor_type.shape.dim),
            dtype=_DTYPES[value.type.tensor_type.elem_type],
        )
        for value in values
    )


def _entries(table: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {_value(value)}" for name, value in table.items()]


def _value(value: Any) -> str:
    if isinstance(value, float):
        return repr(float(f"{value:.6g}"))
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_value(entry)}" for name, entry in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    return json.dumps(value, ensure_ascii=False)
