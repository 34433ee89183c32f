"""mosquitto with settings of the test's own."""

import asyncio
import getpass
from contextlib import asynccontextmanager

from agent.demo.stage import free_port
from gateway.broker import program

PLAIN = ("allow_anonymous true",)


@asynccontextmanager
async def mosquitto(folder, *lines, port=0):
    """A mosquitto on loopback with these settings beside its listener's; yields its port once it listens."""
    port = port or free_port()
    settings = folder / f"mosquitto-{port}.conf"
    settings.write_text("\n".join((f"listener {port} 127.0.0.1", f"user {getpass.getuser()}", *lines, "")))
    process = await asyncio.create_subprocess_exec(
        program("mosquitto") or "mosquitto", "-c", str(settings), stderr=asyncio.subprocess.PIPE
    )
    try:
        # What it says of itself at the end of its start; a mistake in the settings ends it, with its words.
        said = b""
        while b"running" not in said:
            line = await process.stderr.readline()
            said += line
            assert line, said.decode()
        listening = asyncio.create_task(process.stderr.read())
        yield port
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    await listening
