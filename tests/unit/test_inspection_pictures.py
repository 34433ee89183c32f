"""What is read from the camera and what is drawn for people."""

import io
from base64 import b64encode
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from inference.inspection.heatmap import COLOURS, CONTOUR, OPACITY, STEPS, contour, encode, paint
from inference.inspection.picture import PictureError, read_picture

BLACK = np.zeros((224, 224), np.uint8)


def png(size=(224, 224), mode="L", **words) -> bytes:
    mark, buffer = PngInfo(), io.BytesIO()
    for name, word in words.items():
        mark.add_text(name, word)
    Image.new(mode, size, 90).save(buffer, "PNG", pnginfo=mark)
    return buffer.getvalue()


@pytest.mark.parametrize(("chance", "step"), [(0.1, 0), (0.29, 0), (0.3, 1), (0.6, 2), (0.89, 2), (0.9, 3), (1.0, 3)])
def test_a_chance_has_one_colour_whatever_else_is_in_the_picture(chance, step):
    alone = paint(BLACK, np.full((28, 28), chance, np.float32))
    among = np.zeros((28, 28), np.float32)
    among[8:20, 8:20] = chance
    among[0, 0] = 1.0
    expected = np.rint(np.array(COLOURS[step]) * OPACITY)
    assert (alone[224, 224] == expected).all()
    assert (paint(BLACK, among)[224, 224] == expected).all()


def test_a_cell_below_the_first_step_leaves_the_part_as_it_is():
    grey = np.full((224, 224), 77, np.uint8)
    assert (paint(grey, np.full((28, 28), STEPS[0] * 0.99, np.float32)) == 77).all()


def test_the_steps_grow_lighter_so_that_they_read_in_grey():
    weights = np.array([0.299, 0.587, 0.114])
    light = [float(np.dot(colour, weights)) for colour in COLOURS]
    assert light == sorted(light)


def test_a_white_contour_runs_where_the_threshold_is_crossed():
    heat = np.zeros((28, 28), np.float32)
    heat[10:18, 10:18] = 1.0
    painted = paint(BLACK, heat)
    white = (painted == 255).all(axis=2)
    fine = np.asarray(Image.fromarray(heat).resize((448, 448), Image.Resampling.BILINEAR))
    assert white.any()
    assert (white == contour(fine >= CONTOUR)).all()


def test_the_worst_picture_still_fits_the_wire():
    noise = np.random.default_rng(0).integers(0, 256, (448, 448, 3), np.uint8)
    content = encode(noise)
    assert len(b64encode(content)) < 60_000
    assert Image.open(io.BytesIO(content)).format == "WEBP"


def test_words_of_the_camera_are_kept():
    assert read_picture(png(Simulated="true", Shot="12")).words == {"Simulated": "true", "Shot": "12"}


def test_a_larger_square_is_reduced_to_what_the_model_sees():
    assert read_picture(png((448, 448))).grey.shape == (224, 224)


@pytest.mark.parametrize("size", [(224, 200), (100, 100), (5000, 5000)])
def test_a_picture_of_the_wrong_size_is_refused_with_a_remedy(size):
    with pytest.raises(PictureError) as refused:
        read_picture(png(size))
    assert "224" in refused.value.remedy


@given(st.data())
def test_a_cut_or_altered_file_is_refused_or_read_but_never_breaks_anything_else(data):
    whole = png(Simulated="true")
    end = data.draw(st.integers(0, len(whole) - 1))
    broken = bytearray(whole[:end])
    for _ in range(data.draw(st.integers(0, 3))):
        if broken:
            broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    with suppress(PictureError):
        assert read_picture(bytes(broken)).grey.shape == (224, 224)
