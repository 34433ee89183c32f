"""What is going on at the line, in one sentence's worth of facts. Pure; None when it is not certain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def tell(machines: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The latest stop and who waits because of it; else who is not seen; else that all run.

    `machines` in the order of flow, as in the display document.
    """
    if not machines:
        return None
    words = [machine["word"] for machine in machines]
    stops = [index for index, word in enumerate(words) if word == "stopped"]
    if stops:
        return _stop(machines, max(stops, key=lambda index: machines[index]["since"] or ""))
    unseen = [machine for machine in machines if machine["word"] == "unknown"]
    if unseen:
        first = min(unseen, key=lambda machine: machine["since"] or "")
        return {"code": "unseen", "machine": first["name"], "since": first["since"], "others": len(unseen) - 1}
    if all(word == "executing" for word in words):
        return {"code": "all_running", "machines": len(words), "since": max(m["since"] or "" for m in machines)}
    return None


def _stop(machines: Sequence[dict[str, Any]], index: int) -> dict[str, Any]:
    stop = machines[index]
    after = lambda machine: (machine["since"] or "") >= (stop["since"] or "")  # noqa: E731 - a name for one comparison
    return {
        "code": "stopped",
        "machine": stop["name"],
        "since": stop["since"],
        "reason_word": stop.get("reason_word"),
        "starved": _run(machines[index + 1 :], "starved", after),
        "blocked": _run(machines[:index][::-1], "blocked", after),
    }


def _run(neighbours: Sequence[dict[str, Any]], word: str, after: Any) -> list[str]:
    """Names of the unbroken run of neighbours that wait since the stop; an unseen one breaks the chain of evidence."""
    names = []
    for machine in neighbours:
        if machine["word"] != word or not after(machine):
            break
        names.append(machine["name"])
    return names
