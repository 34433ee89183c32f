"""Ten thousand replies, most of them broken: each is what its octets say, or refused."""

from __future__ import annotations

from tests.faults.modbus_fuzz import fuzz


async def test_a_broken_reply_is_never_taken_for_another() -> None:
    told = await fuzz(10_000, seed=7)
    assert sum(told.values()) == 10_000
    assert min(told.values()) > 100, told
