"""The decision as a picture: the part, four fixed heat steps over it, a white contour at the threshold. Pure."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Chance of a defect in a cell from which each colour stands, whatever else is in the picture.
STEPS = (0.1, 0.3, 0.6, 0.9)
COLOURS = ((0x3D, 0x2A, 0x78), (0xA8, 0x32, 0x6A), (0xF0, 0x7B, 0x2A), (0xFC, 0xE7, 0x9A))
CONTOUR = STEPS[1]  # the outline of what speaks for a defect
OPACITY = 0.62
ENLARGED = 2
LARGEST_FILE = 44_000  # in base 64 under the 60 kB that a picture may take on the wire
QUALITIES = (80, 50, 15)


def paint(grey: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """RGB, ENLARGED times the part's size, of grey levels and a square grid of chances 0..1."""
    side = grey.shape[0] * ENLARGED
    part = np.asarray(Image.fromarray(grey).resize((side, side), Image.Resampling.BICUBIC))
    fine = np.asarray(Image.fromarray(heat.astype(np.float32)).resize((side, side), Image.Resampling.BILINEAR))
    painted = np.repeat(part[..., None], 3, axis=2)
    hot = fine >= STEPS[0]
    step = np.searchsorted(np.array(STEPS, np.float32), fine[hot], side="right") - 1
    mixed = part[hot][:, None] * (1.0 - OPACITY) + np.array(COLOURS, np.float64)[step] * OPACITY
    painted[hot] = np.rint(mixed).astype(np.uint8)
    painted[contour(fine >= CONTOUR)] = 255
    return painted


def contour(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The two pixels wide edge along which `inside` changes."""
    edge = np.zeros_like(inside)
    for axis in (0, 1):
        change = np.diff(inside, axis=axis)
        low, high = [slice(None)] * 2, [slice(None)] * 2
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        edge[tuple(low)] |= change
        edge[tuple(high)] |= change
    return edge


def encode(picture: NDArray[np.uint8]) -> bytes:
    """A WebP of at most LARGEST_FILE bytes: as fine as fits, in the last resort at half the size."""
    image = Image.fromarray(picture)
    content = _webp(image, QUALITIES[0])
    for quality in QUALITIES[1:]:
        if len(content) > LARGEST_FILE:
            content = _webp(image, quality)
    return content if len(content) <= LARGEST_FILE else _webp(image.reduce(2), QUALITIES[-1])


def _webp(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=1)
    return buffer.getvalue()
