"""For how long a server has been up, by its own clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from asyncua import ua

from drivers.opcua.identity import origin

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "now", "up_s"),
    [
        (START, START + timedelta(seconds=90), 90.0),
        (START, START, 0.0),
        (START, START - timedelta(seconds=1), None),
        (datetime(1601, 1, 1, tzinfo=UTC), START, None),
        (None, START, None),
        (START, None, None),
    ],
)
def test_it_is_told_where_start_and_clock_make_sense(start, now, up_s):
    assert origin([ua.ServerStatusDataType(StartTime=start, CurrentTime=now)]).up_s == up_s


def test_a_server_without_a_status_tells_nothing():
    assert origin([None]).up_s is None
