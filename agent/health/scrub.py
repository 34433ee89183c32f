"""Takes secrets and names of people out of a text that leaves the plant. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

GONE = "[scrubbed]"
SHORTEST = 4  # a shorter secret would take numbers and words out of every line
WORDS = r"pass(?:word|wd|phrase)?|secret|token|api_?key|private_?key|credentials?|pin|user_?name|login|hash"
KEY = rf"""["']?(?<![A-Za-z])(?:[a-z]+[_-])?(?:{WORDS})["']?\s*[=:]\s*"""
QUOTED = r'"{3}.*?"{3}|' + r"'{3}.*?'{3}|" + r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'"
BY_FORM = (
    # A whole block of PEM, cut off or not; of certificates the private key alone is secret.
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), GONE),
    (re.compile(r"\$argon2(?:id|i|d)\$[^\s\"']+"), GONE),
    (re.compile(r"(?<=://)[^/\s:@\"']+(?::[^/\s@\"']*)?(?=@)"), GONE),
    (re.compile(r"(?i)(?<=bearer )[\w.~+/=-]+"), GONE),
    (re.compile(r"(?i)\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"), GONE),
    (re.compile(r"(tanchang_[0-9a-f]{8}=)[^\s;\"']+"), rf"\1{GONE}"),
    # key = value, "key": "value"; a key such as password_file names a file, which may stay.
    (re.compile(rf"(?is)({KEY})(?:{QUOTED}|[^\s,}}\]\"']+)"), rf'\1"{GONE}"'),
)


def scrub(text: str, secrets: Iterable[str], people: Mapping[str, str]) -> str:
    """The text without the secrets, however JSON or an address writes them, and with ids in place of names.

    What only looks like a secret goes too: keys, hashes, credentials in addresses, mail addresses. `people` is by name.
    """
    for secret in sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True):
        written = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], quote(secret, safe=""))
        for form in dict.fromkeys((secret, *written)):
            text = text.replace(form, GONE)
    for name in sorted(people, key=len, reverse=True):
        if any(character.isalpha() for character in name):
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", people[name], text, flags=re.IGNORECASE)
    for pattern, instead in BY_FORM:
        text = pattern.sub(instead, text)
    return text
