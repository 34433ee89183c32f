"""RabbitMQ with its MQTT plug-in (3.1.1), a node of the test's own: own folders, own name, own epmd, loopback alone."""

import os
import shutil
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.demo.stage import free_port

# Debian's own `rabbitmq-server` on PATH wants to be the system's service; this is what it calls.
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
EPMD = shutil.which("epmd") or ""

SETTINGS = """listeners.tcp.1 = 127.0.0.1:{amqp}
mqtt.listeners.tcp.1 = 127.0.0.1:{mqtt}
mqtt.allow_anonymous = true
mqtt.sparkplug = true
log.console = true
log.console.level = info
log.file = false
"""


def installed() -> bool:
    return SERVER.exists() and bool(EPMD)


@contextmanager
def rabbit(folder):
    """A running node; yields its MQTT port."""
    epmd_port, amqp, mqtt, dist = (free_port() for _ in range(4))
    (folder / "rabbitmq.conf").write_text(SETTINGS.format(amqp=amqp, mqtt=mqtt))
    (folder / "plugins").write_text("[rabbitmq_mqtt].\n")
    (folder / "env.conf").write_text("")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"tc{mqtt}@localhost",
        "RABBITMQ_NODE_PORT": str(amqp),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": str(dist),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        # Nodes talk over loopback alone; one scheduler that does not spin leaves the machine to the tests.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none",
    }
    epmd = subprocess.Popen([EPMD, "-port", str(epmd_port), "-address", "127.0.0.1"], stderr=subprocess.DEVNULL)
    node = subprocess.Popen([SERVER], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    listening = threading.Thread(target=lambda: [None for _ in node.stdout])
    try:
        said = []
        for line in node.stdout:
            said.append(line)
            if b"completed with" in line:
                break
        else:
            raise AssertionError(b"".join(said).decode())
        listening.start()
        yield mqtt
    finally:
        # The script ends with the virtual machine it started.
        with suppress(OSError):
            os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
        node.wait()
        if listening.ident is not None:
            listening.join()
        node.stdout.close()
        epmd.kill()
        epmd.wait()
