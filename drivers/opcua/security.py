"""A signed and encrypted channel to a server whose certificate a person accepted, and to no other; who we log in as."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties, load_certificate, load_private_key
from asyncua.ua.uaerrors import BadIdentityTokenInvalid, BadIdentityTokenRejected, BadUserAccessDenied, UaError
from cryptography import x509

from drivers.contract import MisconfiguredError, NotConnectedError, UntrustedError
from drivers.opcua import pki
from drivers.opcua.device import OpcuaServer
from drivers.opcua.examine import own, wrong

POLICIES = {
    policy.URI: policy
    for policy in (
        security_policies.SecurityPolicyAes256Sha256RsaPss,
        security_policies.SecurityPolicyAes128Sha256RsaOaep,
        security_policies.SecurityPolicyBasic256Sha256,
    )
}
"""Best first. Deprecated policies are never used."""
NOT_LET_IN = (BadUserAccessDenied, BadIdentityTokenRejected, BadIdentityTokenInvalid)
Identity = tuple[str | None, str | None, x509.Certificate | None]


class UnknownServerError(UntrustedError):
    """Nobody has accepted the certificate that a server shows, which is pending now; `why` is without a remedy."""

    def __init__(self, why: str, certificate: pki.Shown) -> None:
        super().__init__(
            f"{why}, SHA-256 thumbprint {certificate.thumbprint} (SHA-1 {certificate.sha1}); compare it with the "
            f"server's own display, then: tanchang trust accept LINE_FILE {certificate.thumbprint}"
        )
        self.why, self.certificate = why, certificate


class NoFileError(MisconfiguredError):
    """A file or folder that the table names cannot be used."""


def best(endpoints: Iterable[ua.EndpointDescription]) -> ua.EndpointDescription | None:
    """The endpoint to go over, None where none is signed and encrypted by a policy that holds."""
    encrypted = ua.MessageSecurityMode.SignAndEncrypt
    offered = {one.SecurityPolicyUri: one for one in endpoints if one.SecurityMode == encrypted}
    return next((offered[uri] for uri in POLICIES if uri in offered), None)


async def secure(client: Client, server: OpcuaServer) -> None:
    """Prepare the client's channel. MisconfiguredError where a file is missing, UntrustedError for a server unknown."""
    endpoint = best(await client.connect_and_get_server_endpoints())
    if endpoint is None:
        names = ", ".join(uri.rpartition("#")[2] for uri in POLICIES)
        raise MisconfiguredError(f"{server.url} offers no SignAndEncrypt endpoint; switch one of {names} on there")
    certificate, private_key = await _own_files(server)
    theirs = own(bytes(endpoint.ServerCertificate or b""))
    await asyncio.to_thread(_trust, server, theirs, endpoint.Server.ApplicationUri)
    ours = await load_certificate(certificate, _form(certificate))
    client.application_uri = _application_uri(ours, server)
    await client.set_security(
        POLICIES[endpoint.SecurityPolicyUri],
        CertProperties(certificate, _form(certificate)),
        CertProperties(private_key, _form(private_key)),
        server_certificate=CertProperties(theirs, "der"),
    )


async def identify(client: Client, server: OpcuaServer) -> Identity:
    """User name, password and certificate to log in with, all None for nobody in particular."""
    if server.username is not None:
        password = await _read(server.password_file)
        return server.username, password.decode("utf-8").rstrip("\r\n"), None
    if server.user_certificate is None or server.user_private_key is None:
        return None, None, None
    certificate, key = await _read(server.user_certificate), await _read(server.user_private_key)
    client.user_private_key = await load_private_key(key, None, _form(key))
    return None, None, await load_certificate(certificate, _form(certificate))


@contextmanager
def showing_certificate(server: OpcuaServer) -> Iterator[None]:
    """Around the opening of a channel, which a server refuses without a reason where it does not trust us."""
    try:
        yield
    except (AssertionError, ConnectionError, UaError) as error:  # the first where the library cannot read the refusal
        if server.security == "none":
            raise
        ours = pki.ours(server.pki, server.certificate)
        raise NotConnectedError(
            f"{server.url} does not open a secured channel ({str(error) or 'refused'}); accept our certificate there, "
            f"{ours.subject if ours else 'none'} with SHA-1 thumbprint {ours.sha1 if ours else 'none'}, if it is among "
            "those that the server rejected"
        ) from error


@contextmanager
def logging_in(server: OpcuaServer) -> Iterator[None]:
    """Around the activation of a session. Not tried again: a server may lock out whom it sees too often."""
    try:
        yield
    except NOT_LET_IN as error:
        who = server.username or server.user_certificate or "anybody unnamed"
        raise MisconfiguredError(
            f"{server.url} does not let {who} in ({error}); correct username and password_file, or user_certificate, "
            "as the server's user management has them"
        ) from error


def _trust(server: OpcuaServer, certificate: bytes, uri: str | None) -> None:
    """UntrustedError says why the server is refused and what a person can do."""
    host = server.server_host or urlsplit(server.url).hostname or ""
    if (why := wrong(certificate, host, uri, pki.instant())) is not None:
        raise UntrustedError(f"{server.url} {why}")
    one = pki.shown(server.url, certificate)
    if server.server_thumbprint is not None:
        if one.thumbprint != server.server_thumbprint.lower():
            raise UntrustedError(
                f"{server.url} shows a certificate with SHA-256 thumbprint {one.thumbprint}, not the pinned one; "
                "compare it with the server's own display before writing it as server_thumbprint"
            )
        return
    try:
        trusted = [known.thumbprint for known in pki.entries(server.pki, pki.TRUSTED) if known.url == server.url]
        if one.thumbprint not in trusted:
            pki.keep(server.pki, pki.PENDING, one)
    except (OSError, ValueError) as error:
        raise NoFileError(f"{server.pki}: {error}") from error
    if one.thumbprint in trusted:
        return
    what = "another certificate than the accepted one" if trusted else "a certificate that nobody has accepted yet"
    raise UnknownServerError(f"{server.url} shows {what}", one)


async def _own_files(server: OpcuaServer) -> tuple[bytes, bytes]:
    certificate, key = server.certificate, server.private_key
    if certificate is None:
        try:
            certificate, key = await asyncio.to_thread(pki.own, server.pki, pki.this_host(), pki.instant())
        except OSError as error:
            raise NoFileError(
                f"{server.pki} cannot hold our certificate ({error.strerror}); make it writable, or write pki"
            ) from error
    return await _read(certificate), await _read(key)


async def _read(path: Path | None) -> bytes:
    """What a file holds, nothing where none is written."""
    if path is None:
        return b""
    try:
        return await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise NoFileError(f"{error.filename} cannot be read ({error.strerror}); correct the path") from error


def _form(octets: bytes) -> str:
    return "pem" if octets.startswith(b"-----") else "der"


def _application_uri(certificate: x509.Certificate, server: OpcuaServer) -> str:
    """The name our certificate gives us, which servers compare with what we say."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.UniformResourceIdentifier)[0]
    except (x509.ExtensionNotFound, IndexError) as error:
        raise MisconfiguredError(
            f"{server.certificate} has no application URI in its SubjectAlternativeName; make one that has"
        ) from error
