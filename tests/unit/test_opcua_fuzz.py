"""Mutated Publish responses never give a wrong value or a stray exception, and the fuzz would see one."""

from __future__ import annotations

import dataclasses
import random

import pytest

from drivers.opcua.decode import Decoder
from tests.faults.opcua_fuzz import LAG_MS, run, seeds, verdict


def test_mutated_responses_give_what_the_library_decodes_or_are_refused():
    found, lag_ms = run(10_000, 1)
    assert lag_ms < LAG_MS
    assert found.total() == 10_000
    assert min(found["same"], found["refused"]) > 500


def test_a_decoder_that_is_one_off_is_found_out():
    class Wrong(Decoder):
        def publish(self, body):
            told = super().publish(body)
            rows = [dataclasses.replace(part, value=part.value + 1) for part in told.rows]
            return dataclasses.replace(told, rows=tuple(rows))

    body = seeds(random.Random(1))[0]
    assert verdict(body, Decoder()) == "same"
    with pytest.raises(AssertionError):
        verdict(body, Wrong())
