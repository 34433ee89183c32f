"""Pure: what of a channel may be seen, which is the bodies of Publish, Republish and Read, and of a fault in answer.

Bodies are seen before they are encrypted and after they were decrypted. Logging in, sessions and whatever else goes
over the channel is never noted; of a session's token, which every request carries, there are only zeros.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.frames import CUT, Frames, Note
from drivers.opcua.cursor import Cursor

FAULT = 397
REQUESTS = {631: "ReadRequest", 826: "PublishRequest", 832: "RepublishRequest"}
RESPONSES = {634: "ReadResponse", 829: "PublishResponse", 835: "RepublishResponse", FAULT: "ServiceFault"}
NAMES = REQUESTS | RESPONSES
"""By the number of the encoding."""

PREFIXES = {bytes((1, 0, number & 0xFF, number >> 8)): number for number in NAMES}
PREFIX_OCTETS = 4
TOKEN_HEAD = {3: 7, 5: 7}  # a NodeId of text or octets: encoding, namespace, length


class Shown:
    """One channel's requests and what answers them, noted in `frames` at the time by `utc` (ns)."""

    def __init__(self, frames: Frames, utc: Callable[[], int]) -> None:
        self._frames, self._utc = frames, utc
        self._asked: dict[int, Note] = {}

    def sent(self, number: int, body: bytes) -> None:
        """The body of request `number`, whatever it is."""
        if PREFIXES.get(body[:PREFIX_OCTETS]) in REQUESTS:
            note = self._asked[number] = (self._utc(), True, without_token(body), 0, len(body))
            self._frames.notes.append(note)

    def received(self, number: int, begins: bytes, size: int) -> None:
        """How the body of what answers request `number` begins, and how long it is, whatever it is."""
        request = self._asked.pop(number, None)
        kind = PREFIXES.get(begins[:PREFIX_OCTETS])
        if request is not None and kind in RESPONSES:
            note = (self._utc(), False, begins, 0, size)
            self._frames.notes.append(note)
            if kind == FAULT:
                self._frames.refusals.append((request, note))


def without_token(body: bytes) -> bytes:
    """The first CUT octets of a request, with zeros where the session's token stands."""
    cursor = Cursor(body, PREFIX_OCTETS)
    cursor.node_id()
    begin = PREFIX_OCTETS + TOKEN_HEAD.get(body[PREFIX_OCTETS], 1)
    return (body[:begin] + bytes(cursor.at - begin) + body[cursor.at : CUT])[:CUT]
