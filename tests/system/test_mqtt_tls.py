"""TLS to a real mosquitto that wants client certificates; what does not fit is refused, with a remedy."""

import datetime as dt
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.broker import program
from gateway.mqtt import Broker, Message, Mqtt, MqttError, RefusedError
from tests.system.broker_rig import PLAIN, mosquitto
from tests.system.uplink_rig import BASE, PUBLIC, Agent, NamedReader, WatchedLedger

pytestmark = pytest.mark.skipif(program("mosquitto") is None, reason="needs mosquitto")

SETTINGS = Path(__file__).parents[2] / "firmware_configs" / "brokers" / "mosquitto"
NOW = dt.datetime.now(dt.UTC)
HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


class Authority:
    """A plant's certificate authority in a folder."""

    def __init__(self, folder, name) -> None:
        self.folder, self.subject, self.key = folder, named(name), ec.generate_private_key(ec.SECP256R1())
        own = x509.CertificateBuilder().subject_name(self.subject).public_key(self.key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.file = self.write(name, self.signed(own, NOW + dt.timedelta(days=1)))

    def signed(self, builder, end):
        builder = builder.issuer_name(self.subject).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(NOW - dt.timedelta(days=2)).not_valid_after(end)
        return builder.sign(self.key, hashes.SHA256())

    def write(self, name, certificate):
        path = self.folder / f"{name}.pem"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def issue(self, name, usage, host=HERE, end=NOW + dt.timedelta(days=1)):
        """Certificate and key, as two files."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = x509.CertificateBuilder().subject_name(named(name)).public_key(key.public_key())
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if usage is SERVER:
            builder = builder.add_extension(x509.SubjectAlternativeName([host]), critical=False)
        secret = self.folder / f"{name}.key"
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return self.write(name, self.signed(builder, end)), secret


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("plant"), "plant")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


def settings(authority, pair):
    certificate, key = pair
    return (f"cafile {authority.file}", f"certfile {certificate}", f"keyfile {key}", "require_certificate true")


IDENTITY = ("use_identity_as_username true",)


@pytest.fixture
async def broker(plant, tmp_path):
    """Knows its clients by their certificates: the agent's may write t/#, others nothing."""
    (tmp_path / "acl").write_text("topic read #\nuser agent\ntopic readwrite t/#\n")
    (tmp_path / "acl").chmod(0o644)
    lines = (*settings(plant, plant.issue("broker", SERVER)), *IDENTITY, f"acl_file {tmp_path / 'acl'}")
    async with mosquitto(tmp_path, *lines) as port:
        yield port


async def refusal(broker) -> MqttError:
    with pytest.raises(MqttError) as found:
        async with Mqtt(broker, "tc"):
            pass
    return found.value


async def test_a_link_with_a_client_certificate_carries_messages_under_its_name(broker, plant):
    where = Broker("127.0.0.1", broker, None, None, plant.file, *plant.issue("agent", CLIENT))
    async with Mqtt(where, "tc") as link:
        assert link.version == 5
        await link.subscribe("t/#")
        await link.publish("t/1", b"7" * 100_000)
        assert await anext(link.messages()) == Message("t/1", b"7" * 100_000)


async def test_a_password_may_travel_over_tls(plant, tmp_path):
    """And a broker may be content with it alone."""
    (tmp_path / "secret").write_text("geheim\n")
    lines = [line for line in settings(plant, plant.issue("broker", SERVER)) if "require" not in line]
    async with (
        mosquitto(tmp_path, *PLAIN, *lines) as port,
        Mqtt(Broker("127.0.0.1", port, "agent", tmp_path / "secret", plant.file), "tc") as link,
    ):
        await link.publish("t/1", b"7")


@pytest.mark.parametrize(
    ("certificate", "message", "remedy"),
    [
        ({}, "self-signed certificate|unable to get local issuer", "set ca_file in [mqtt] to the CA that issued it"),
        ({"host": x509.DNSName("elsewhere.example")}, "IP address mismatch", "set host in [mqtt] to a name"),
        ({"end": NOW - dt.timedelta(days=1)}, "expired", "renew it at the broker, or set this machine's clock"),
    ],
    ids=["another CA", "another host", "expired"],
)
async def test_a_broker_s_certificate_that_does_not_do_is_refused_with_its_remedy(
    plant, stranger, tmp_path, certificate, message, remedy
):
    issuer = plant if certificate else stranger
    async with mosquitto(tmp_path, *PLAIN, *settings(issuer, issuer.issue("broker", SERVER, **certificate))) as port:
        error = await refusal(Broker("127.0.0.1", port, ca_file=plant.file))
    assert "is not accepted" in error.message
    assert any(word in error.message for word in message.split("|")), error.message
    assert remedy in error.remedy


async def test_who_has_no_certificate_or_one_of_another_ca_is_told_about_it(broker, plant, stranger):
    without = await refusal(Broker("127.0.0.1", broker, ca_file=plant.file))
    assert "set cert_file and key_file in [mqtt]" in without.remedy
    foreign = Broker("127.0.0.1", broker, None, None, plant.file, *stranger.issue("agent", CLIENT))
    assert "must be one that it knows" in (await refusal(foreign)).remedy


async def test_plain_and_tls_at_each_other_s_port_say_what_to_correct(broker, plant, tmp_path):
    plain = await refusal(Broker("127.0.0.1", broker))
    assert "set ca_file in [mqtt]" in plain.remedy
    async with mosquitto(tmp_path, *PLAIN) as port:
        error = await refusal(Broker("127.0.0.1", port, ca_file=plant.file))
    assert "correct port in [mqtt] to its TLS listener" in error.remedy


async def test_files_that_do_not_serve_are_named_with_their_key(plant, tmp_path):
    certificate, _ = plant.issue("agent", CLIENT)
    _, other_key = plant.issue("other", CLIENT)
    (tmp_path / "empty").write_text("")
    for files, remedy in (
        ((tmp_path / "none",), "correct ca_file"),
        ((tmp_path / "empty",), "correct ca_file"),
        ((None, certificate, other_key), "set ca_file"),
        ((plant.file, certificate, other_key), "one pair"),
        ((plant.file, tmp_path / "none", None), "correct cert_file"),
    ):
        assert remedy in (await refusal(Broker("127.0.0.1", 1, None, None, *files))).remedy


async def test_the_broker_s_settings_let_each_user_do_its_work_and_no_more(plant, tmp_path):
    pair = plant.issue("broker", SERVER)
    own = {"plant-ca.pem": plant.file, "broker.pem": pair[0], "broker.key": pair[1], "acl": SETTINGS / "acl"}
    text = (SETTINGS / "tls.conf").read_text(encoding="utf-8")
    for name, path in own.items():
        text = text.replace(f"/etc/mosquitto/{name}", str(path))
    lines = [line for line in text.splitlines() if not line.startswith(("#", "listener"))]
    ledger = await WatchedLedger.open(tmp_path / "ledger")
    async with mosquitto(tmp_path, *lines) as port:
        where = {user: entry(plant, port, user) for user in ("agent", "mes", "hall", "public")}
        options = {"consumer": "mes", "raw": ("json", "binary"), "home_assistant": "homeassistant"}
        agent, mes = Agent(ledger, tmp_path, port, **options), NamedReader(port, where["mes"])
        agent.broker = where["agent"]
        await agent.make(150)
        async with agent.running(), mes.listening() as link:
            await mes.until(link, 150)
            await agent.moved("mqtt:mes", 100)
            for user, tree in (("hall", BASE), ("public", PUBLIC)):
                async with Mqtt(where[user], user) as display:
                    await display.subscribe(f"{tree}/_line")
                    assert (await anext(display.messages())).retain
                    with pytest.raises(RefusedError):
                        await display.publish(f"{BASE}/_ack/mes", b"{}")
    await ledger.close()
    assert mes.counted == list(range(1, 151))
    assert agent.faults == []


def entry(plant, port, user):
    return Broker("127.0.0.1", port, None, None, plant.file, *plant.issue(user, CLIENT))
