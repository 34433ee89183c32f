"""asyncua's server keeps a message until it is acknowledged, as PLCs do (OPC 10000-4, Republish).

Left alone it forgets a message that it has sent again: where that answer is lost as well, so are the values.
"""

from __future__ import annotations

from asyncua import ua
from asyncua.server.internal_subscription import InternalSubscription

UNACKNOWLEDGED = "_not_acknowledged_results"


def keep_until_acknowledged() -> None:
    """Every server of this process does from now on."""
    InternalSubscription.republish = _republish  # type: ignore[method-assign]


def _republish(self: InternalSubscription, nb: int) -> ua.NotificationMessage:
    """The message of that sequence number, an empty one where there is none."""
    sent = getattr(self, UNACKNOWLEDGED).get(nb)
    return sent.NotificationMessage if sent else ua.NotificationMessage()
