"""The folder of keys: our own certificate, made on first use, and the servers' certificates that a person accepted.

own/certificate.der, own/private_key.pem      ours; the key is readable for its owner alone
trusted/*.json, pending/*.json                one certificate of one server each
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import socket
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from drivers.opcua.examine import hosts

KEY_BITS = 2048  # what every policy we use allows
LIFE = timedelta(days=3650)
TRUSTED, PENDING = "trusted", "pending"


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate that a server showed: its SHA-256 in hex, the server, who it says it is, its octets in base64."""

    thumbprint: str
    url: str
    subject: str
    not_after: str
    certificate: str

    @property
    def sha1(self) -> str:
        """The short thumbprint that many servers display."""
        return hashlib.sha1(b64decode(self.certificate), usedforsecurity=False).hexdigest()

    @property
    def not_before(self) -> str:
        """From when on it holds, ISO 8601."""
        return x509.load_der_x509_certificate(b64decode(self.certificate)).not_valid_before_utc.isoformat()

    @property
    def hosts(self) -> list[str]:
        """The hosts that it names."""
        return hosts(x509.load_der_x509_certificate(b64decode(self.certificate)))


def shown(url: str, certificate: bytes) -> Shown:
    """What a server showed. ValueError where it is no certificate."""
    one = x509.load_der_x509_certificate(certificate)
    subject, end = one.subject.rfc4514_string(), one.not_valid_after_utc.isoformat()
    return Shown(hashlib.sha256(certificate).hexdigest(), url, subject, end, b64encode(certificate).decode())


def entries(folder: Path, kind: str) -> list[Shown]:
    """All of a kind, by server. ValueError names a file that is not ours."""
    found = []
    for path in sorted((folder / kind).glob("*.json")):
        try:
            found.append(Shown(**json.loads(path.read_text(encoding="utf-8"))))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{path} is no certificate entry ({error}); delete it, the server is asked again"
            ) from error
    return sorted(found, key=lambda one: (one.url, one.thumbprint))


def ours(folder: Path, certificate: Path | None) -> Shown | None:
    """Our own certificate: the one that is written, else the folder's; None where there is none yet.

    OSError where it cannot be read, ValueError where it is none.
    """
    path = certificate or folder / "own" / "certificate.der"
    if certificate is None and not path.exists():
        return None
    octets = path.read_bytes()
    if octets.startswith(b"-----"):
        octets = x509.load_pem_x509_certificate(octets).public_bytes(serialization.Encoding.DER)
    return shown("", octets)


def keep(folder: Path, kind: str, one: Shown) -> None:
    """Put an entry there; the one of the same server and certificate gives way."""
    target = _place(folder, kind, one)
    if not target.exists():
        _write(target, json.dumps(asdict(one), indent=1).encode(), 0o644)


def accept(folder: Path, thumbprint: str) -> list[Shown]:
    """Trust what is pending under a thumbprint, in place of what was trusted of the same servers."""
    accepted = [one for one in entries(folder, PENDING) if one.thumbprint == thumbprint]
    for one in accepted:
        keep(folder, TRUSTED, one)
        for old in entries(folder, TRUSTED):
            if old.url == one.url and old.thumbprint != thumbprint:
                _place(folder, TRUSTED, old).unlink(missing_ok=True)
        _place(folder, PENDING, one).unlink(missing_ok=True)
    return accepted


def remove(folder: Path, thumbprint: str) -> list[Shown]:
    """Forget a certificate, pending or trusted."""
    gone = []
    for kind in (TRUSTED, PENDING):
        for one in entries(folder, kind):
            if one.thumbprint == thumbprint:
                _place(folder, kind, one).unlink(missing_ok=True)
                gone.append(one)
    return gone


def own(folder: Path, host: str, now: datetime) -> tuple[Path, Path]:
    """Our certificate and key, made where there are none. OSError where the folder cannot be written."""
    certificate, key = folder / "own" / "certificate.der", folder / "own" / "private_key.pem"
    if not (certificate.exists() and key.exists()):
        made, secret = _made(host, now)
        _write(key, secret, 0o600)
        _write(certificate, made, 0o644)
    return certificate, key


def _made(host: str, now: datetime) -> tuple[bytes, bytes]:
    """A self-signed application instance certificate (OPC 10000-6, 6.2.2) in DER, and its key in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    words = [(NameOID.COMMON_NAME, "tanchang"), (NameOID.ORGANIZATION_NAME, host)]
    name = x509.Name([x509.NameAttribute(kind, word) for kind, word in words])
    names: Sequence[x509.GeneralName] = [x509.UniformResourceIdentifier(f"urn:{host}:tanchang"), _named(host)]
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.DER), secret


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _place(folder: Path, kind: str, one: Shown) -> Path:
    return folder / kind / f"{one.thumbprint}-{hashlib.sha256(one.url.encode()).hexdigest()[:8]}.json"


def _write(path: Path, octets: bytes, mode: int) -> None:
    """All of it or nothing, and never readable for more than `mode` says."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def this_host() -> str:
    """What this machine is called."""
    return socket.gethostname()


def instant() -> datetime:
    """Now."""
    return datetime.now(UTC)
