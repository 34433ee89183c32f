"""Where each driver stopped when the last process ended, however it ended. Reads the ledger, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.ledger import LedgerError, Reader
from agent.model import Batch
from agent.storage.takeover import sampled_since
from drivers.contract import Bookmark, Device


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
        since = sampled_since(known, device.name)
        if since is None or device.name not in observed:
            continue
        tags = [tag.name for tag in device.tags]
        try:
            told = reader.batches(device.name, tags, since)
        except (LedgerError, ValueError):
            continue  # read anew: the hole is told as a gap
        whole, place = known[f"{device.name}.whole"], known[f"{device.name}.place"]
        found[device.name] = Bookmark(whole, place, told, observed[device.name].time)
    return found
