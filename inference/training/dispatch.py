"""Trains the dispatching policy by imitating its own best samples, and writes model.onnx with its card.

python -m inference.training.dispatch [--steps N] [--seed N] [--out FOLDER]; needs the train requirements.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from inference.card import summary
from inference.scheduling.builder import Candidates, Floats, Ints, Rollout, Rows, Shop, rollout, shop, worths
from inference.scheduling.features import COUNT, features
from inference.scheduling.policy import HEAT, TRIES, by_policy
from inference.scheduling.rules import NAMES, by_rules
from inference.training.dispatch_problems import problem

HIDDEN = 64
SAMPLES = 40
PROBLEMS_A_STEP = 6
HELD_OUT_SEED = 9_000_001
Weights = list[tuple[NDArray[np.float32], NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A schedule worth imitating: candidates' features step after step, how many a step has, which was taken."""

    seen: NDArray[np.float32]
    sizes: Ints
    taken: Ints


def network() -> torch.nn.Sequential:
    """The policy: a score for each candidate from its own features."""
    return torch.nn.Sequential(
        torch.nn.Linear(COUNT, HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Linear(HIDDEN, HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Linear(HIDDEN, 1),
    )


def weights(policy: torch.nn.Sequential) -> Weights:
    """The layers' matrices, inputs first, and biases."""
    return [(part.weight.detach().numpy().T, part.bias.detach().numpy()) for part in policy if hasattr(part, "weight")]


def forward(layers: Weights, seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """The policy's scores, computed by numpy."""
    (w1, b1), (w2, b2), (w3, b3) = layers
    hidden = np.maximum(np.maximum(seen @ w1 + b1, 0) @ w2 + b2, 0)
    return np.asarray((hidden @ w3 + b3)[:, 0], np.float32)


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy still in training, in the place of a session."""

    layers: Weights
    digest: str = ""

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {"score": forward(self.layers, inputs["features"])}


def attempts(of: Shop, layers: Weights, rng: np.random.Generator, rows: int, heat: float) -> Rollout:
    """Schedules of the policy: the first takes what it likes best, the others draw."""
    return rollout(of, rows, by_policy(Draft(layers), lambda: False, rng, heat))


def cost(of: Shop, built: Rollout) -> Floats:
    """One figure a row, less is better: tardiness first, a little for set-up and for the end."""
    late, setup, end = worths(of, built)
    return np.asarray((late / of.weight.sum() + 0.1 * setup / len(of.count) + 0.02 * end) / of.unit)


def lesson(of: Shop, layers: Weights, rng: np.random.Generator) -> Lesson:
    """The best of the rules' schedules and the policy's samples, seen through the policy's eyes."""
    tries = [rollout(of, len(NAMES), by_rules), attempts(of, layers, rng, SAMPLES, 1.0)]
    costs = [cost(of, built) for built in tries]
    best = tries[int(costs[1].min() <= costs[0].min())]
    row = int(cost(of, best).argmin())
    choices = iter([int(step.choice[row]) for step in best.steps])
    seen, sizes, taken = [], [], []

    def replay(of: Shop, at: Rows, among: Candidates) -> Floats:
        choice = next(choices)
        active = np.flatnonzero(among.active)
        seen.append(features(of, at, among))
        sizes.append(len(active))
        taken.append(int(np.searchsorted(active, choice)))
        scores = np.zeros(among.start.shape)
        scores.reshape(-1)[choice] = 1.0
        return scores

    rollout(of, 1, replay)
    return Lesson(np.concatenate(seen), np.array(sizes), np.array(taken))


def loss(policy: torch.nn.Sequential, lessons: list[Lesson]) -> torch.Tensor:
    """Cross-entropy of the taken candidates over all decisions that were decisions."""
    scores = policy(torch.from_numpy(np.concatenate([one.seen for one in lessons])))[:, 0]
    sizes = np.concatenate([one.sizes for one in lessons])
    taken = np.concatenate([one.taken for one in lessons])
    table = torch.full((len(sizes), int(sizes.max())), -torch.inf)
    row = np.repeat(np.arange(len(sizes)), sizes)
    column = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    table = table.index_put((torch.from_numpy(row), torch.from_numpy(column)), scores)
    real = torch.from_numpy(sizes > 1)
    return torch.nn.functional.cross_entropy(table[real], torch.from_numpy(taken)[real])


def train(steps: int, seed: int) -> torch.nn.Sequential:
    """The trained policy; the same on every run with the same seed."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    policy = network()
    optimizer = torch.optim.Adam(policy.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=5e-5)
    for step in range(steps):
        layers = weights(policy)
        shops = [shop(problem(rng, int(rng.integers(15, 75)))) for _ in range(PROBLEMS_A_STEP)]
        wrong = loss(policy, [lesson(of, layers, rng) for of in shops])
        optimizer.zero_grad()
        wrong.backward()
        optimizer.step()
        schedule.step()
        if step % 25 == 0:
            print(f"step {step} loss {wrong.item():.3f} {compare(weights(policy), 20, 60)}", flush=True)
    return policy


def compare(layers: Weights, problems: int, operations: int) -> dict[str, Any]:
    """Means over held-out problems: tardiness and set-up, the policy's tries against the rules."""
    rng = np.random.default_rng(HELD_OUT_SEED + operations)
    lates, setups = [], []
    for _ in range(problems):
        of = shop(problem(rng, operations))
        tries = attempts(of, layers, np.random.default_rng(1), TRIES, HEAT)
        tried = [worths(of, rollout(of, len(NAMES), by_rules)), worths(of, tries)]
        lates.append(np.concatenate([one[0] for one in tried]) / of.weight.sum() / of.unit)
        setups.append(np.concatenate([one[1] for one in tried]) / of.unit)
    late, setup, each = np.array(lates), np.array(setups), np.arange(problems)
    parts = {"portfolio": slice(0, len(NAMES)), "policy": slice(len(NAMES), len(NAMES) + TRIES)}
    best = {name: part.start + np.lexsort((setup[:, part], late[:, part]))[:, 0] for name, part in parts.items()}
    rule = int(late[:, : len(NAMES)].mean(0).argmin())
    best |= {"best_rule": np.full(problems, rule), "policy_greedy": np.full(problems, len(NAMES))}
    figures = {f"{name}_tardiness": late[each, column].mean() for name, column in best.items()}
    figures |= {f"{name}_setup": setup[each, column].mean() for name, column in best.items()}
    ours, theirs = late[each, best["policy"]], late[each, best["portfolio"]]
    figures |= {"policy_wins": np.mean(ours < theirs - 1e-9), "policy_ties": np.mean(np.abs(ours - theirs) <= 1e-9)}
    return {"best_rule_name": NAMES[rule], **{name: round(float(value), 3) for name, value in figures.items()}}


def to_onnx(layers: Weights) -> bytes:
    """The policy as an ONNX file: features [N, 24] to score [N]."""
    nodes, tensors, before = [], [], "features"
    for index, (matrix, bias) in enumerate(layers):
        last = index == len(layers) - 1
        tensors += [numpy_helper.from_array(np.ascontiguousarray(matrix), f"w{index}")]
        tensors += [numpy_helper.from_array(bias, f"b{index}")]
        nodes.append(helper.make_node("Gemm", [before, f"w{index}", f"b{index}"], [f"layer{index}"]))
        before = f"layer{index}"
        if not last:
            nodes.append(helper.make_node("Relu", [before], [f"out{index}"]))
            before = f"out{index}"
    tensors.append(numpy_helper.from_array(np.array([1], np.int64), "axis"))
    nodes.append(helper.make_node("Squeeze", [before, "axis"], ["score"]))
    seen = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", COUNT])
    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n"])
    graph = helper.make_graph(nodes, "dispatch", [seen], [score], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def card(content: bytes, layers: Weights, training: dict[str, Any], figures: dict[str, dict[str, Any]]) -> str:
    """The card of a policy file, TOML."""
    ramp = np.linspace(-1.0, 1.0, 3 * COUNT).reshape(3, COUNT).astype(np.float32)
    golden = ", ".join(f"{value:.6f}" for value in summary(forward(layers, ramp)))
    lines = [
        'name = "dispatch"',
        'about = "Scores which operation to start next on a line, from 24 figures of each candidate"',
        'licence = "Apache-2.0"',
        'file = "model.onnx"',
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
        f'input = [{{ name = "features", shape = [-1, {COUNT}], dtype = "float32" }}]',
        'output = [{ name = "score", shape = [-1], dtype = "float32" }]',
        f"golden = {{ low = -1.0, high = 1.0, expect = {{ score = [{golden}] }} }}",
        "",
        "[training]",
        'data = "random flow lines, hybrid flow shops and flexible job shops; no plant\'s data"',
        'method = "imitates the best of its own samples and of the rules"',
        *(f"{name} = {value}" for name, value in training.items()),
        "",
        "# Means over held-out random problems; tardiness is weighted, in mean run times of an operation, set-up too.",
    ]
    for name, values in figures.items():
        lines += [f"[figures.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Trains, compares on held-out problems and writes the model folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "models" / "dispatch")
    given = parser.parse_args()
    layers = weights(train(given.steps, given.seed))
    figures = {f"operations_{size}": compare(layers, 100, size) for size in (30, 60, 120)}
    content = to_onnx(layers)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "model.onnx").write_bytes(content)
    training = {"steps": given.steps, "seed": given.seed, "problems": given.steps * PROBLEMS_A_STEP, "samples": SAMPLES}
    (given.out / "card.toml").write_text(card(content, layers, training, figures), encoding="utf-8")
    print(figures)


if __name__ == "__main__":
    main()
