"""Ten thousand replies, most of them broken: each is what its octets say, or refused."""

from __future__ import annotations

from tests.faults.modbus_fuzz import LAG_MS, fuzz


async def test_a_broken_reply_is_never_taken_for_another() -> None:
    told, lag_ms = await fuzz(10_000, seed=7)
    assert lag_ms < LAG_MS
    assert sum(told.values()) == 10_000
    assert min(told.values()) > 100, told
