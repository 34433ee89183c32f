"""A model is trusted only as far as its card vouches for it."""

import shutil

import numpy as np
import pytest

from inference.card import ModelError, read_card
from inference.session import MODELS, open_model

NORMAL = np.array([[215.0, 662.0, 72.0, 88.0, 54.0, 58.0]], np.float32)


@pytest.fixture
def models(tmp_path):
    shutil.copytree(MODELS / "shot", tmp_path / "shot")
    return tmp_path


def edit(models, old: str, new: str) -> None:
    card = models / "shot" / "card.toml"
    text = card.read_text()
    assert old in text
    card.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("name", sorted(path.parent.name for path in MODELS.glob("*/card.toml")))
def test_every_shipped_model_passes_its_own_card(name):
    session = open_model(name)
    assert session.card.name == name
    assert session.card.sha256.startswith(session.digest)


def test_a_file_altered_in_one_bit_is_refused_before_it_is_parsed(models):
    path = models / "shot" / "model.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="SHA-256") as refused:
        open_model("shot", models)
    assert "release" in refused.value.remedy


def test_a_model_whose_golden_answer_differs_is_refused(models):
    text = (models / "shot" / "card.toml").read_text()
    expected = next(line for line in text.splitlines() if line.startswith("expect = "))
    edit(models, expected, expected.replace("log_odds = [", "log_odds = [1"))
    with pytest.raises(ModelError, match="golden"):
        open_model("shot", models)


def test_tensors_that_differ_from_the_card_are_refused(models):
    edit(models, "shape = [1, 6]", "shape = [1, 7]")
    with pytest.raises(ModelError, match=r"\[1, 6\]"):
        open_model("shot", models)


def test_a_model_that_is_not_there_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(ModelError) as refused:
        open_model("nothing", tmp_path)
    assert "card.toml" in refused.value.remedy


def test_a_broken_card_names_what_is_wrong():
    with pytest.raises(ModelError, match="sha256"):
        read_card('name = "x"\nsha256 = "short"', "x/card.toml")
    with pytest.raises(ModelError, match=r"x/card\.toml"):
        read_card("name = ", "x/card.toml")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_an_input_that_is_not_finite_is_refused(wrong):
    values = NORMAL.copy()
    values[0, 2] = wrong
    with pytest.raises(ModelError, match="not finite"):
        open_model("shot").run({"values": values})


@pytest.mark.parametrize(
    "inputs", [{"values": NORMAL[0]}, {"values": NORMAL.astype(np.float64)}, {"other": NORMAL}, {}]
)
def test_inputs_that_break_the_card_are_refused(inputs):
    with pytest.raises(ModelError):
        open_model("shot").run(inputs)
