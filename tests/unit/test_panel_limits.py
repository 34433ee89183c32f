"""How often somebody may try, and which secrets will do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.panel.limits import MINUTE, Tries
from gateway.panel.roles import TABLE, May, Role, weakness


def test_five_wrong_tries_cost_a_minute_then_two_then_four() -> None:
    tries, now, waits = Tries(), 0.0, []
    for _ in range(6):
        for _ in range(5):
            assert tries.wait("10.0.0.7", now) == 0
            tries.fail("10.0.0.7", now)
        waits.append(tries.wait("10.0.0.7", now))
        now += waits[-1]
    assert waits == [60, 120, 240, 480, 900, 900]


def test_other_sources_do_not_wait_and_who_gets_in_is_forgiven() -> None:
    tries = Tries()
    for _ in range(5):
        tries.fail("10.0.0.7", 0.0)
    assert tries.wait("10.0.0.8", 0.0) == 0
    tries.succeed("10.0.0.7")
    assert tries.wait("10.0.0.7", 0.0) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 20)), max_size=120))
def test_nobody_gets_more_than_five_tries_in_any_minute(asked: list[tuple[str, float]]) -> None:
    tries, now, taken = Tries(), 0.0, list[tuple[str, float]]()
    for source, pause in asked:
        now += pause
        if tries.wait(source, now) == 0:
            tries.fail(source, now)
            taken.append((source, now))
    for source, time in taken:
        assert sum(one == source and time - MINUTE < at <= time for one, at in taken) <= 5


def test_what_is_remembered_of_sources_is_bounded() -> None:
    tries = Tries(known=10)
    for number in range(1000):
        tries.fail(str(number), float(number))
    assert len(tries._failed) == 10


@given(st.sampled_from(Role), st.text(max_size=140))
def test_no_short_secret_is_ever_taken(role: Role, secret: str) -> None:
    if weakness(role, "somebody", secret) is None:
        assert 6 <= len(secret) <= 128
        assert role is Role.OPERATOR or len(secret) >= 10


def test_nobody_who_is_not_logged_in_sees_a_figure_and_only_the_admin_makes_users() -> None:
    assert TABLE[None] == {May.KNOCK}
    assert [role for role in Role if May.USERS in TABLE[role]] == [Role.ADMIN]
    assert all(TABLE[role] <= TABLE[Role.ADMIN] for role in Role)
