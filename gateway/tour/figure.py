"""Which figures a display shows, and what of them. Pure; coverage classes and scales are the page's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway.public import MIN_PARTS, band
from gateway.tour.heard import Figure

MIN_PARTS_AN_HOUR = 10  # below it the takt is that of the shift


def pick(figures: Iterable[Figure], name: str, kind: str = "shift") -> Figure | None:
    """The figure of that name over that kind of window; the newest window if there are several."""
    found = (figure for figure in figures if figure.name == name and figure.window.kind == kind)
    return max(found, key=lambda figure: (figure.window.start, figure.time), default=None)


def pick_takt(figures: Iterable[Figure]) -> Figure | None:
    """The takt of this hour, or of the shift while the hour has too few parts."""
    held = tuple(figures)
    hour, shift = pick(held, "takt", "hour"), pick(held, "takt")
    enough = hour is not None and hour.value is not None and (parts(hour) or 0) >= MIN_PARTS_AN_HOUR
    return hour if enough or shift is None else shift


def parts(figure: Figure) -> float | None:
    """How many parts the figure rests on, at least; None where it rests on time or that was not told."""
    if figure.n_band is not None:
        return figure.n_band[0]
    return figure.denominator if figure.name in ("first_pass_yield", "takt") else None


def shown(figure: Figure, age_s: float, simulated: bool) -> dict[str, Any]:
    """The figure as displays get it: the wire's fields, its age in wall seconds, and `why` it is hidden, if it is.

    A yield of too few parts leaves here without value and bounds, so no page can show it.
    """
    n = parts(figure)
    few = figure.name == "first_pass_yield" and n is not None and n < MIN_PARTS
    fields = figure.model_dump(mode="json", exclude={"n_band"})
    hidden = dict.fromkeys(("value", "low", "high")) if few else {}
    return (
        fields
        | hidden
        | {
            "n": None if figure.n_band is not None or n is None else round(n),
            "n_band": None if n is None else list(figure.n_band or band(n)),
            "why": "few" if few else None,
            "age_s": round(age_s),
            "sim": figure.sim or simulated,
        }
    )
