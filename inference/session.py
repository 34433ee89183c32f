"""The only home of onnxruntime: a model checked against its card when it loads and at every answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference.card import ANY_SIZE, Card, ModelError, Tensor, read_card

__all__ = ["MODELS", "ModelError", "Session", "open_model"]

MODELS = Path(__file__).parent / "models"
RESTORE = "restore the model folder from the release, file and card together"
_DTYPES = {"tensor(float)": "float32", "tensor(int64)": "int64", "tensor(uint8)": "uint8", "tensor(bool)": "bool"}


def open_model(name: str, models: Path = MODELS) -> Session:
    """The model in the folder `name` of `models`, by its card.toml."""
    path = models / name / "card.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        remedy = f"name a folder of {models.name}/ that holds a card.toml"
        raise ModelError(f"no model '{name}': {error}", remedy) from error
    card = read_card(text, f"{name}/card.toml")
    return Session(path.with_name(card.file), card)


class Session:
    """One loaded model on one thread. Safe to use from one thread at a time.

    The digest is checked before a byte of the file is parsed, then tensors against the card,
    then the golden answer. ModelError where anything differs.
    """

    def __init__(self, path: Path, card: Card) -> None:
        self.card = card
        self._run = _load(_checked_bytes(path, card.sha256), card.name)
        _check_tensors(card.name, card.input, self._run.get_inputs())
        _check_tensors(card.name, card.output, self._run.get_outputs())
        self._check_golden()

    @property
    def digest(self) -> str:
        """First 12 hex digits of the file's SHA-256: what records call the model."""
        return self.card.sha256[:12]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Outputs by name. ModelError on an input or output that breaks the card or is not finite."""
        if inputs.keys() != {tensor.name for tensor in self.card.input}:
            raise ModelError(f"{self.card.name}: inputs {sorted(inputs)}", "hand over exactly the inputs of the card")
        for tensor in self.card.input:
            self._check(tensor, inputs[tensor.name], "look at the sensor or the picture this came from")
        names = [tensor.name for tensor in self.card.output]
        try:
            answers = self._run.run(names, dict(inputs))
        except Exception as error:  # onnxruntime's exceptions share no other root
            raise ModelError(f"{self.card.name} failed: {error}", RESTORE) from error
        outputs = {name: np.asarray(answer) for name, answer in zip(names, answers, strict=True)}
        for tensor in self.card.output:
            self._check(tensor, outputs[tensor.name], RESTORE)
        return outputs

    def _check(self, tensor: Tensor, array: NDArray[Any], remedy: str) -> None:
        misfit = tensor.misfit(array.shape, array.dtype.name)
        if misfit is not None:
            raise ModelError(f"{self.card.name}: {misfit}", remedy)
        if not np.isfinite(array).all():
            raise ModelError(f"{self.card.name}: {tensor.name} is not finite", remedy)

    def _check_golden(self) -> None:
        golden = self.card.golden
        outputs = self.run(golden.inputs(self.card.input))
        if golden.expect.keys() != outputs.keys():
            raise ModelError(f"{self.card.name}: golden answers for {sorted(golden.expect)}", RESTORE)
        deviation = golden.deviation(outputs)
        if not deviation <= golden.tolerance:
            raise ModelError(
                f"{self.card.name}: golden answer off by {deviation:.2g}, allowed {golden.tolerance:.2g}",
                "this machine's onnxruntime computes differently: install the locked version",
            )


def _checked_bytes(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path.name}: {error}", RESTORE) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise ModelError(f"{path.name} has SHA-256 {digest[:12]}..., its card says {sha256[:12]}...", RESTORE)
    return content


def _load(content: bytes, name: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no other root
        raise ModelError(f"{name} does not load: {error}", RESTORE) from error


def _check_tensors(name: str, tensors: tuple[Tensor, ...], nodes: Any) -> None:
    found = {node.name: node for node in nodes}
    if found.keys() != {tensor.name for tensor in tensors}:
        raise ModelError(f"{name}: the file has tensors {sorted(found)}, its card differs", RESTORE)
    for tensor in tensors:
        node = found[tensor.name]
        shape = tuple(size if isinstance(size, int) else ANY_SIZE for size in node.shape)
        misfit = tensor.misfit(shape, _DTYPES.get(node.type, node.type))
        if misfit is not None:
            raise ModelError(f"{name}: {misfit}", RESTORE)
