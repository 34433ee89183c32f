"""Pure: a place in OPC UA binary that only moves forward, and never past the end."""

from __future__ import annotations

import struct
from typing import Any

U16, U32, I32, I64 = (struct.Struct(form) for form in ("<H", "<I", "<i", "<q"))
NODE_ID_OCTETS = {0: 1, 1: 3, 2: 6, 4: 18}


class Cursor:
    """Reads numbers one after the other; ValueError where the octets end too early or a length is absurd."""

    def __init__(self, data: bytes | memoryview, at: int = 0) -> None:
        self.data = data
        self.at = at

    @property
    def left(self) -> int:
        """How many octets are left."""
        return len(self.data) - self.at

    def skip(self, octets: int) -> int:
        """Move on; where it was before."""
        before = self.at
        after = before + octets
        if octets < 0 or after > len(self.data):
            raise ValueError(f"{octets} octets announced, {self.left} left")
        self.at = after
        return before

    def number(self, form: struct.Struct) -> Any:
        """The next number."""
        return form.unpack_from(self.data, self.skip(form.size))[0]

    def octet(self) -> int:
        """The next octet."""
        return self.data[self.skip(1)]

    def count(self, least: int = 1) -> int:
        """The length of an array whose elements take at least so many octets; 0 for a null one."""
        count = max(0, self._length())
        if count * least > self.left:
            raise ValueError(f"an array of {count} announced, {self.left} octets left")
        return count

    def string(self) -> bytes | None:
        """The octets of a string, None for a null one."""
        length = self._length()
        start = self.skip(max(0, length))
        return None if length < 0 else bytes(self.data[start : self.at])

    def _length(self) -> int:
        """A length; -1 is null, and another number below 0 is none (OPC 10000-6, 5.2.2.4): readers differ over it."""
        length = int(self.number(I32))
        if length < -1:
            raise ValueError(f"a length of {length}")
        return length

    def node_id(self, ignoring: int = 0) -> int | None:
        """Step over a NodeId; its number where it is one of the standard's own namespace. `ignoring` are flag bits."""
        encoding = self.octet() & ~ignoring
        start = self.at
        if encoding in (3, 5):
            self.skip(2)
            self.string()
            return None
        if encoding not in NODE_ID_OCTETS:
            raise ValueError(f"NodeId encoding {encoding}")
        self.skip(NODE_ID_OCTETS[encoding])
        if encoding == 0:
            return self.data[start]
        if encoding == 1 and self.data[start] == 0:
            return int(U16.unpack_from(self.data, start + 1)[0])
        return None
