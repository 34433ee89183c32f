"""The device table of an OPC UA server, as an engineer writes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import field_validator, model_validator

from agent.configuration.duration import Duration
from drivers.contract import Device, Tag
from drivers.opcua.profiles import PROFILES

DataType = Literal["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "bool", "text", "datetime"]
CLOCK_TYPES = (None, "u64", "i64", "datetime")
PAIRS = (("certificate", "private_key"), ("user_certificate", "user_private_key"))


class OpcuaTag(Tag):
    """A variable node: `s=name` within the device's namespace, or `ns=2;s=name`. Dates become ms since 1970 UTC.

    A tag that told nothing for `fresh_within` is read, to see whether its item has died; 60 s where it is not written.
    """

    node: str
    datatype: DataType | None = None
    fresh_within: Duration | None = None

    @field_validator("node")
    @classmethod
    def _well_formed(cls, node: str) -> str:
        index, _, rest = node.partition(";") if node.startswith("ns=") else ("ns=0", ";", node)
        if not (index.removeprefix("ns=").isdecimal() and rest[:2] in ("s=", "i=", "g=", "b=") and rest[2:]):
            raise ValueError(f"write a node id such as 's=press1.good' or 'ns=2;i=1001', not {node!r}")
        if rest.startswith("i=") and not rest[2:].isdecimal():
            raise ValueError(f"'i=' takes a number; write a name as 's={rest[2:]}'")
        return node


class OpcuaServer(Device):
    """How an OPC UA server is called: where it is, how it proves who it is, who we are there.

    Without security the word "none" has to be written; otherwise the channel is signed and encrypted. A server is
    known by its certificate: the SHA-256 thumbprint that is written here, or one that `tanchang trust` accepted. Our
    own certificate is made in the folder `pki` where none is written.
    """

    files: ClassVar[Mapping[str, str]] = {"pki": "pki", "password_file": ""} | dict.fromkeys(sum(PAIRS, ()), "")

    driver: Literal["opcua"]
    url: str
    security: Literal["none", "sign_and_encrypt"] = "sign_and_encrypt"
    certificate: Path | None = None
    private_key: Path | None = None
    pki: Path = Path("pki")
    server_thumbprint: str | None = None
    server_host: str | None = None
    username: str | None = None
    password_file: Path | None = None
    user_certificate: Path | None = None
    user_private_key: Path | None = None

    @property
    def address(self) -> str:
        return self.url

    @property
    def warnings(self) -> Sequence[str]:
        if self.security == "sign_and_encrypt":
            return ()
        return (
            'security = "none": whoever is in this network can read and forge all values; use it on an isolated '
            "network only",
        )

    @field_validator("url")
    @classmethod
    def _has_host_and_port(cls, url: str) -> str:
        if not re.fullmatch(r"opc\.tcp://([^\s/:@]+|\[[0-9a-fA-F:]+\]):\d{1,5}(/\S*)?", url):
            raise ValueError(
                f"write host and port, such as 'opc.tcp://192.168.0.10:4840/', without a password, not {url!r}"
            )
        return url

    @field_validator("server_thumbprint")
    @classmethod
    def _is_sha256(cls, thumbprint: str | None) -> str | None:
        if thumbprint is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", thumbprint):
            raise ValueError("write the SHA-256 of the server's certificate, 64 hexadecimal digits")
        return thumbprint

    @model_validator(mode="after")
    def _has_one_user(self) -> Self:
        for certificate, key in PAIRS:
            if (getattr(self, certificate) is None) != (getattr(self, key) is None):
                raise ValueError(f"write both {certificate} and {key}, or none of them")
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file: write the username it belongs to")
        if self.username is not None and self.user_certificate is not None:
            raise ValueError("write username or user_certificate: a session has one user")
        if self.security == "none" and (self.username is not None or self.user_certificate is not None):
            raise ValueError('a password is never sent over a link with security = "none"; leave that key out')
        return self


class OpcuaDevice(OpcuaServer):
    """One OPC UA server and what is read there.

    A namespace is named by its URI and resolved at each connect, since its index may move. `mode` is a subscription,
    reads again and again, or the first with the second where the server has none.
    """

    namespace: str | None = None
    profile: str | None = None
    mode: Literal["auto", "subscribe", "poll"] = "auto"
    tag: tuple[OpcuaTag, ...]

    @property
    def tags(self) -> Sequence[OpcuaTag]:
        return self.tag

    def modulus(self, tag: str) -> int | None:
        datatype = next(candidate.datatype for candidate in self.tag if candidate.name == tag)
        return 1 << int(datatype[1:]) if datatype in ("u8", "u16", "u32", "u64") else None

    @model_validator(mode="after")
    def _has_tags_with_a_namespace(self) -> Self:
        if not self.tag:
            raise ValueError("this device has no tag; write at least one")
        relative = next((tag for tag in self.tag if not tag.node.startswith("ns=")), None)
        if self.namespace is None and relative is not None:
            raise ValueError(f"write namespace, the URI that node {relative.node!r} belongs to, or 'ns=' in each node")
        return self

    @model_validator(mode="after")
    def _fits_its_profile(self) -> Self:
        if self.profile is None:
            return self
        if self.profile not in PROFILES:
            raise ValueError(f"profile: write one of {', '.join(PROFILES)}, or leave it out")
        most = PROFILES[self.profile].get("items", len(self.tag))
        if self.mode != "poll" and len(self.tag) > most:
            raise ValueError(
                f"a server of profile {self.profile} takes {most} items, this device has {len(self.tag)} tags; leave "
                'some out, or write mode = "poll"'
            )
        return self

    @model_validator(mode="after")
    def _clock_is_a_time(self) -> Self:
        if self.clock is None:
            return self
        tag = next((tag for tag in self.tag if tag.name == self.clock), None)
        if tag is None:
            raise ValueError(f"clock: no tag {self.clock!r} in this device; write the tag that carries its time")
        if tag.datatype not in CLOCK_TYPES:
            raise ValueError(f"clock: tag {tag.name!r} must be ms since 1970 UTC in a 'u64', or a 'datetime'")
        return self
