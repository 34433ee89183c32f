"""The certificates of a line's OPC UA servers, and ours, out of the folders that the driver keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from drivers.contract import Device
from drivers.opcua.device import OpcuaDevice
from gateway.panel.certificates import Certificate

if TYPE_CHECKING:  # what reads certificates takes 10 MB of memory: only where somebody looks at them
    from drivers.opcua import pki

WARN_DAYS = 30


class Certificates:
    """`gateway.panel.certificates.Trust`. A running agent goes by what it finds there at its next try."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self._devices = [one for one in devices if isinstance(one, OpcuaDevice) and one.security != "none"]
        self._folders = sorted({one.pki for one in self._devices})

    def certificates(self) -> list[Certificate]:
        """What waits, what is trusted or pinned, and ours."""
        from drivers.opcua import pki

        now = pki.instant()
        found = [
            _told(kind, one, tuple(device.name for device in self._devices if device.url == one.url), now)
            for kind in (pki.PENDING, pki.TRUSTED)
            for folder in self._folders
            for one in pki.entries(folder, kind)
        ]
        pinned = [
            Certificate("pinned", one.server_thumbprint.lower(), "", "", one.url, (one.name,), "", "", None, ends=False)
            for one in self._devices
            if one.server_thumbprint is not None
        ]
        return found + pinned + self._own(now)

    def accept(self, thumbprint: str) -> list[str]:
        """The addresses of the servers that are trusted from now on."""
        from drivers.opcua import pki

        return [one.url for folder in self._folders for one in pki.accept(folder, thumbprint)]

    def remove(self, thumbprint: str) -> list[str]:
        """The addresses of the servers that are forgotten."""
        from drivers.opcua import pki

        return [one.url for folder in self._folders for one in pki.remove(folder, thumbprint)]

    def _own(self, now: datetime) -> list[Certificate]:
        """One for each place where we keep one, with the devices that see it."""
        from drivers.opcua import pki

        places = dict.fromkeys((one.pki, one.certificate) for one in self._devices)
        return [
            _told("own", one, tuple(d.name for d in self._devices if (d.pki, d.certificate) == place), now)
            for place in places
            if (one := pki.ours(*place)) is not None
        ]


def _told(kind: str, one: pki.Shown, devices: tuple[str, ...], now: datetime) -> Certificate:
    days = (datetime.fromisoformat(one.not_after) - now).days
    ends = days < WARN_DAYS
    return Certificate(
        kind, one.thumbprint, one.sha1, one.subject, one.url, devices, one.not_before, one.not_after, days, ends
    )
