"""Where a broker is and how to get in: login and TLS, and what is wrong with them in words with a remedy."""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

# X.509 verification results of OpenSSL (x509_vfy.h).
NOT_YET, EXPIRED, WRONG_HOST, WRONG_IP = 9, 10, 62, 64


class MqttError(Exception):
    """The broker cannot be reached, refused something, or the link is lost. Says what to do about it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}: {remedy}")
        self.message = message
        self.remedy = remedy


class RefusedError(MqttError):
    """The broker does not allow this one; the link goes on."""


class CutError(MqttError):
    """The broker or the network ended the link."""


class TakenError(CutError):
    """Another client came with the same client id, and the broker gave it the place of this one."""


class _Socket(ssl.SSLSocket):
    """Closed when the handshake fails; paho leaves it open."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ConnectionError as error:
            self.close()
            raise ssl.SSLError(f"it hangs up: {error}") from error
        except OSError:
            self.close()
            raise


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to get in.

    With `ca_file` the link is TLS, checked against it and nothing else; `cert_file` and `key_file` are what the broker
    knows this client by.
    """

    host: str
    port: int = 1883
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def tls(broker: Broker) -> ssl.SSLContext | None:
    """How to speak TLS with it, None where it is spoken to in the clear. MqttError for files that do not serve."""
    if broker.ca_file is None:
        if broker.cert_file is not None:
            raise MqttError(
                "a client certificate without a CA says nothing about the broker", "set ca_file in [mqtt], too"
            )
        return None
    try:
        context = ssl.create_default_context(cafile=str(broker.ca_file))
    except OSError as error:
        raise MqttError(
            f"the CA certificate {broker.ca_file} cannot be read ({error})", "correct ca_file in [mqtt]: a PEM file"
        ) from error
    context.sslsocket_class = _Socket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if broker.cert_file is not None:
        try:
            # Without a password of its own a locked key would ask at the terminal.
            context.load_cert_chain(broker.cert_file, broker.key_file, password="")
        except OSError as error:
            raise MqttError(
                f"the client certificate {broker.cert_file} cannot be used ({error})",
                "correct cert_file and key_file in [mqtt]: PEM files of one pair, the key without a password",
            ) from error
    return context


def distrusted(broker: Broker, error: ssl.SSLError) -> MqttError:
    """Why the broker's certificate does not do, or why there is no TLS at all."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return MqttError(
            f"the MQTT broker at {broker} does not agree on TLS ({error})",
            "correct port in [mqtt] to its TLS listener; its log says more",
        )
    why = f"the certificate of the MQTT broker at {broker} is not accepted ({error.verify_message})"
    if error.verify_code in (EXPIRED, NOT_YET):
        return MqttError(why, "renew it at the broker, or set this machine's clock")
    if error.verify_code in (WRONG_HOST, WRONG_IP):
        return MqttError(why, "set host in [mqtt] to a name that stands in it, or have one issued for this host")
    return MqttError(why, "set ca_file in [mqtt] to the CA that issued it; if none of yours did, it is not yours")


def closed(broker: Broker) -> str:
    """What to look at where the broker hangs up before it has said anything."""
    remedy = "its log says why; check its settings"
    if broker.ca_file is None:
        return f"{remedy}; if it wants TLS, set ca_file in [mqtt]"
    if broker.cert_file is None:
        return f"{remedy}; if it wants a client certificate, set cert_file and key_file in [mqtt]"
    return f"{remedy}; the CA of {broker.cert_file} must be one that it knows"


def password(broker: Broker) -> str | None:
    """The password in its file; MqttError where it would travel in the clear."""
    if broker.password_file is None:
        return None
    if broker.ca_file is None and not _loopback(broker.host):
        raise MqttError(
            f"a password to {broker.host} would travel in the clear", "set ca_file in [mqtt], so that the link is TLS"
        )
    try:
        return broker.password_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise MqttError(f"the MQTT password is not readable ({error})", "correct password_file in [mqtt]") from error


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
