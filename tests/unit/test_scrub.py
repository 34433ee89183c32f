"""Nothing secret is left in a text that leaves the plant, and what is not secret stays."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.health.scrub import GONE, SHORTEST, scrub

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"
PLANTED = {
    'password = "hunter2!"': "hunter2!",
    "password = '''\nhunter2!\nmore'''": "hunter2!",
    '"password": "with \\" quote hunter2!"': "hunter2!",
    "broker_password=hunter2! x": "hunter2!",
    "Token: hunter2!": "hunter2!",
    '{"api_key":"hunter2!","x":1}': "hunter2!",
    'username = "li.wei"': "li.wei",
    "mqtt://li:hunter2!@10.0.0.2:1883": "hunter2!",
    "https://hunter2!@host/": "hunter2!",
    "authorization: Bearer eyJh.bGci-Oi": "eyJh.bGci-Oi",
    "write to li.wei@plant.example": "li.wei@plant.example",
    KEY: "MIIEow",
    KEY[:50]: "MIIEow",
    "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA": "c29tZXNhbHQ",
    "cookie tanchang_0a1b2c3d=eyJ1Ijoid.sig; path=/": "eyJ1Ijoid",
}
PLAIN = (
    'password_file = "/etc/tanchang/mqtt-password"\n'
    '{ name = "spin", address = "HR100", datatype = "u16" }\n'
    'url = "opc.tcp://192.168.10.21:4840/"\n{"event": "login", "by": "u3f9c2a71"}\n'
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
)


@pytest.mark.parametrize("text", PLANTED)
def test_what_looks_like_a_secret_goes(text: str) -> None:
    left = scrub(f"before\n{text}\nafter", (), {})
    assert PLANTED[text] not in left
    assert GONE in left
    assert left.startswith("before\n")


def test_what_is_no_secret_stays() -> None:
    assert scrub(PLAIN, (), {}) == PLAIN


@given(st.text(min_size=SHORTEST, max_size=30).filter(lambda text: text not in GONE), st.text(max_size=50))
def test_a_known_secret_goes_in_every_form(secret: str, around: str) -> None:
    for form in (
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
    ):
        assert form not in scrub(f"{around}|{form}|{around}", [secret], {}).replace(GONE, "|")


def test_people_are_told_by_their_ids_and_numbers_stay_numbers() -> None:
    people = {"Li Wei": "u1", "Li": "u2", "12": "u3", "王芳": "u4"}
    left = scrub("# ask li wei or Li, 王芳; line 12, quality, 12 parts", (), people)
    assert left == "# ask u1 or u2, u4; line 12, quality, 12 parts"
