"""Where each driver stopped when the last process ended, however it ended. Reads the ledger, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.ledger import LedgerError, Reader
from agent.model import SECOND, Batch
from drivers.contract import Bookmark, Device

EARLIER = 120 * SECOND  # plant time: source times may lag behind what their device vouches for


def marks(device: str, batches: Sequence[Batch]) -> Mapping[str, str]:
    """What of these batches goes to disk with them: the last place, and the last whole mark with its time."""
    found: dict[str, str] = {}
    for batch in batches:
        if batch.mark is not None:
            found[f"{device}.place"] = batch.mark.place
            if batch.mark.whole is not None:
                found[f"{device}.whole"] = batch.mark.whole
                found[f"{device}.since"] = str(min(batch.time, int(batch.source_time.max(initial=0))))
    return found


def bookmarks(reader: Reader, devices: Sequence[Device]) -> dict[str, Bookmark]:
    """By device; none for one that left no marks, or whose samples since cannot be read."""
    known, observed = reader.marks(), reader.observed()
    found = {}
    for device in devices:
        whole, place, since = (known.get(f"{device.name}.{word}") for word in ("whole", "place", "since"))
        if whole is None or place is None or since is None or device.name not in observed:
            continue
        tags = [tag.name for tag in device.tags]
        try:
            told = reader.batches(device.name, tags, int(since) - EARLIER)
        except (LedgerError, ValueError):
            continue  # read anew: the hole is told as a gap
        found[device.name] = Bookmark(whole, place, told, observed[device.name].time)
    return found
