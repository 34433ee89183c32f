"""A camera's PNG to grey levels and the words it carries. Pure."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

SIDE = 224  # pixels the image model looks at
LARGEST = 4096


class PictureError(Exception):
    """A file is not a picture that can be judged: why, and what to do about it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Picture:
    """Grey levels (SIDE x SIDE, uint8) and the text chunks of the file."""

    grey: NDArray[np.uint8]
    words: Mapping[str, str]


def read_picture(content: bytes) -> Picture:
    """The picture in these bytes of a PNG; a larger square is reduced to SIDE. PictureError where it is none."""
    try:
        with PngImagePlugin.PngImageFile(io.BytesIO(content)) as image:
            _check(image)
            image.load()
            words = {name: str(value) for name, value in image.text.items()}
            grey = image.convert("L")
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise PictureError(
            f"not a whole PNG: {error}", "check the camera's disk and that it renames when done"
        ) from error
    if grey.size != (SIDE, SIDE):
        grey = grey.resize((SIDE, SIDE), Image.Resampling.BOX)
    return Picture(np.asarray(grey), words)


def _check(image: Image.Image) -> None:
    width, height = image.size
    if width != height or not SIDE <= width <= LARGEST:
        size = f"{width} x {height} pixels"
        raise PictureError(f"{size}", f"set the camera to a square of {SIDE} to {LARGEST} pixels around the part")
    if image.mode not in ("L", "1", "P", "RGB"):
        raise PictureError(f"colour mode {image.mode}", "set the camera to 8-bit grey")


def model_input(grey: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """What the image model takes: one picture, one channel."""
    return {"image": np.ascontiguousarray(grey)[None, None]}
