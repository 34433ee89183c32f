"""A signed and encrypted channel to the one server whose certificate is pinned, and to no other."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties, load_certificate
from cryptography import x509

from drivers.contract import MisconfiguredError
from drivers.opcua.device import OpcuaDevice

POLICIES = {
    policy.URI: policy
    for policy in (
        security_policies.SecurityPolicyAes256Sha256RsaPss,
        security_policies.SecurityPolicyAes128Sha256RsaOaep,
        security_policies.SecurityPolicyBasic256Sha256,
    )
}
"""Best first. Deprecated policies are never used."""


async def secure(client: Client, device: OpcuaDevice) -> None:
    """Prepare the client's channel. MisconfiguredError where a file is missing or the server is not the pinned one."""
    certificate, private_key = await _own_files(device)
    endpoints = await client.connect_and_get_server_endpoints()
    offered = {
        endpoint.SecurityPolicyUri: bytes(endpoint.ServerCertificate or b"")
        for endpoint in endpoints
        if endpoint.SecurityMode == ua.MessageSecurityMode.SignAndEncrypt
    }
    uri = next((uri for uri in POLICIES if uri in offered), None)
    if uri is None:
        names = ", ".join(uri.rpartition("#")[2] for uri in POLICIES)
        raise MisconfiguredError(f"{device.url} offers no SignAndEncrypt endpoint; switch one of {names} on there")
    thumbprint = hashlib.sha256(offered[uri]).hexdigest()
    if thumbprint != (device.server_thumbprint or "").lower():
        raise MisconfiguredError(
            f"{device.url} shows a certificate with SHA-256 thumbprint {thumbprint}, not the pinned one; "
            "compare it with the server's own display before writing it as server_thumbprint"
        )
    own = await load_certificate(certificate, "pem" if certificate.startswith(b"-----") else "der")
    client.application_uri = _application_uri(own, device)
    await client.set_security(
        POLICIES[uri],
        CertProperties(certificate, "pem" if certificate.startswith(b"-----") else "der"),
        CertProperties(private_key, "pem" if private_key.startswith(b"-----") else "der"),
        server_certificate=CertProperties(offered[uri], "der"),
    )


async def _own_files(device: OpcuaDevice) -> tuple[bytes, bytes]:
    try:
        certificate, key = [
            await asyncio.to_thread(Path(path).read_bytes) for path in (device.certificate, device.private_key) if path
        ]
    except OSError as error:
        raise MisconfiguredError(f"{error.filename} cannot be read ({error.strerror}); correct the path") from error
    return certificate, key


def _application_uri(certificate: x509.Certificate, device: OpcuaDevice) -> str:
    """The name our certificate gives us, which servers compare with what we say."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.UniformResourceIdentifier)[0]
    except (x509.ExtensionNotFound, IndexError) as error:
        raise MisconfiguredError(
            f"{device.certificate} has no application URI in its SubjectAlternativeName; make one that has"
        ) from error
