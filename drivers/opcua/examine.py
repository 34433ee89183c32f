"""Pure: what is wrong with a certificate that a server shows, whoever trusts it."""

from __future__ import annotations

import ipaddress
from datetime import datetime

from cryptography import x509


def own(chain: bytes) -> bytes:
    """A server's own of the certificates that it shows end to end, which is the first (OPC 10000-6, 6.2.6)."""
    if len(chain) < 2:
        return chain
    more = chain[1] & 0x7F if chain[1] & 0x80 else 0  # octets that hold the length, where one is not enough (X.690)
    length = int.from_bytes(chain[2 : 2 + more]) if more else chain[1]
    return chain[: 2 + more + length]


def wrong(certificate: bytes, host: str, uri: str | None, now: datetime) -> str | None:
    """Why it cannot be `host`'s and application `uri`'s now, with a remedy; None where nothing is wrong with it."""
    try:
        one = x509.load_der_x509_certificate(certificate)
        names = _names(one)
    except ValueError as error:
        return f"shows what is no certificate ({error}); make a new one there"
    if now > one.not_valid_after_utc:
        return f"shows a certificate that expired on {one.not_valid_after_utc:%Y-%m-%d}; renew it there"
    if now < one.not_valid_before_utc:
        return (
            f"shows a certificate that is not valid before {one.not_valid_before_utc:%Y-%m-%d}; "
            "set the clocks there and here"
        )
    known = names.get_values_for_type(x509.UniformResourceIdentifier) if names else []
    if uri is not None and uri not in known:
        return f"calls itself {uri}, its certificate {', '.join(known) or 'nothing'}; make a new one there"
    if not _is_named(names, host):
        return (
            f"shows a certificate for another host ({', '.join(hosts(one)) or 'none'}), not for {host}; write the "
            "right address into url, or the name that the certificate has as server_host"
        )
    return None


def _names(one: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def hosts(one: x509.Certificate) -> list[str]:
    """The hosts that a certificate names. ValueError where it lies about what it is."""
    if (names := _names(one)) is None:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def _is_named(names: x509.SubjectAlternativeName | None, host: str) -> bool:
    if names is None:
        return False
    try:
        return ipaddress.ip_address(host) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        return host.lower() in (name.lower() for name in names.get_values_for_type(x509.DNSName))
