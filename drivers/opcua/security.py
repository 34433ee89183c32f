"""A signed and encrypted channel to a server whose certificate a person accepted, and to no other; who we log in as."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties, load_certificate, load_private_key
from cryptography import x509

from drivers.contract import MisconfiguredError, UntrustedError
from drivers.opcua import pki
from drivers.opcua.device import OpcuaDevice
from drivers.opcua.examine import wrong

POLICIES = {
    policy.URI: policy
    for policy in (
        security_policies.SecurityPolicyAes256Sha256RsaPss,
        security_policies.SecurityPolicyAes128Sha256RsaOaep,
        security_policies.SecurityPolicyBasic256Sha256,
    )
}
"""Best first. Deprecated policies are never used."""
Identity = tuple[str | None, str | None, x509.Certificate | None]


async def secure(client: Client, device: OpcuaDevice) -> None:
    """Prepare the client's channel. MisconfiguredError where a file is missing, UntrustedError for a server unknown."""
    certificate, private_key = await _own_files(device)
    endpoints = await client.connect_and_get_server_endpoints()
    offered = {
        endpoint.SecurityPolicyUri: endpoint
        for endpoint in endpoints
        if endpoint.SecurityMode == ua.MessageSecurityMode.SignAndEncrypt
    }
    uri = next((uri for uri in POLICIES if uri in offered), None)
    if uri is None:
        names = ", ".join(uri.rpartition("#")[2] for uri in POLICIES)
        raise MisconfiguredError(f"{device.url} offers no SignAndEncrypt endpoint; switch one of {names} on there")
    theirs = bytes(offered[uri].ServerCertificate or b"")
    await asyncio.to_thread(_trust, device, theirs, offered[uri].Server.ApplicationUri)
    own = await load_certificate(certificate, _form(certificate))
    client.application_uri = _application_uri(own, device)
    await client.set_security(
        POLICIES[uri],
        CertProperties(certificate, _form(certificate)),
        CertProperties(private_key, _form(private_key)),
        server_certificate=CertProperties(theirs, "der"),
    )


async def identify(client: Client, device: OpcuaDevice) -> Identity:
    """User name, password and certificate to log in with, all None for nobody in particular."""
    if device.username is not None:
        password = await _read(device.password_file)
        return device.username, password.decode("utf-8").rstrip("\r\n"), None
    if device.user_certificate is None or device.user_private_key is None:
        return None, None, None
    certificate, key = await _read(device.user_certificate), await _read(device.user_private_key)
    client.user_private_key = await load_private_key(key, None, _form(key))
    return None, None, await load_certificate(certificate, _form(certificate))


def _trust(device: OpcuaDevice, certificate: bytes, uri: str | None) -> None:
    """UntrustedError says why the server is refused and what a person can do."""
    host = device.server_host or urlsplit(device.url).hostname or ""
    if (why := wrong(certificate, host, uri, pki.instant())) is not None:
        raise UntrustedError(f"{device.url} {why}")
    one = pki.shown(device.url, certificate)
    if device.server_thumbprint is not None:
        if one.thumbprint != device.server_thumbprint.lower():
            raise UntrustedError(
                f"{device.url} shows a certificate with SHA-256 thumbprint {one.thumbprint}, not the pinned one; "
                "compare it with the server's own display before writing it as server_thumbprint"
            )
        return
    try:
        trusted = [known.thumbprint for known in pki.entries(device.pki, pki.TRUSTED) if known.url == device.url]
        if one.thumbprint not in trusted:
            pki.keep(device.pki, pki.PENDING, one)
    except (OSError, ValueError) as error:
        raise MisconfiguredError(f"{device.pki}: {error}") from error
    if one.thumbprint in trusted:
        return
    what = "another certificate than the accepted one" if trusted else "a certificate that nobody has accepted yet"
    raise UntrustedError(
        f"{device.url} shows {what}, SHA-256 thumbprint {one.thumbprint} (SHA-1 {one.sha1}); compare it with the "
        f"server's own display, then: tanchang trust accept LINE_FILE {one.thumbprint}"
    )


async def _own_files(device: OpcuaDevice) -> tuple[bytes, bytes]:
    certificate, key = device.certificate, device.private_key
    if certificate is None:
        try:
            certificate, key = await asyncio.to_thread(pki.own, device.pki, pki.this_host(), pki.instant())
        except OSError as error:
            raise MisconfiguredError(
                f"{device.pki} cannot hold our certificate ({error.strerror}); make it writable, or write pki"
            ) from error
    return await _read(certificate), await _read(key)


async def _read(path: Path | None) -> bytes:
    """What a file holds, nothing where none is written."""
    if path is None:
        return b""
    try:
        return await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise MisconfiguredError(f"{error.filename} cannot be read ({error.strerror}); correct the path") from error


def _form(octets: bytes) -> str:
    return "pem" if octets.startswith(b"-----") else "der"


def _application_uri(certificate: x509.Certificate, device: OpcuaDevice) -> str:
    """The name our certificate gives us, which servers compare with what we say."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.UniformResourceIdentifier)[0]
    except (x509.ExtensionNotFound, IndexError) as error:
        raise MisconfiguredError(
            f"{device.certificate} has no application URI in its SubjectAlternativeName; make one that has"
        ) from error
