"""`python -m simulators`: argv only."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from datetime import datetime
from pathlib import Path


def main() -> None:
    """Run one of the commands; exit code 2 on a wrong command line."""
    parser = argparse.ArgumentParser(prog="simulators", description="A plant in virtual time behind real servers.")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_draw(commands.add_parser("draw", help="write a labelled set of casting pictures"))
    _add_plant(commands.add_parser("cooker3", help="a rice-cooker line of takt 17 s: OPC UA, Modbus TCP, camera"))
    _add_record(commands.add_parser("record", help="write down what a real device tells"))
    _add_replay(commands.add_parser("replay", help="serve recordings in place of the devices, marked simulated"))
    chosen = parser.parse_args()
    if chosen.command == "draw":
        from simulators.sample import write

        write(chosen.out, chosen.count, chosen.seed, chosen.share)
        return
    if chosen.command in ("record", "replay"):
        from simulators import tape

        run = tape.record if chosen.command == "record" else tape.replay
        asyncio.run(run(**{name: value for name, value in vars(chosen).items() if name != "command"}))
        return
    from simulators.program import Options, simulate

    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="tanchang-plant-"))
    given = {name: value for name, value in vars(chosen).items() if name not in ("command", "folder")}
    asyncio.run(simulate(Options(scenario=chosen.command, folder=folder.resolve(), **given)))


def _add_draw(draw: argparse.ArgumentParser) -> None:
    draw.add_argument("--count", type=int, default=100, help="how many pictures")
    draw.add_argument("--seed", type=int, default=7)
    draw.add_argument("--share", type=float, help="share of defective parts, 0..1; the line's own rate if left out")
    draw.add_argument("--out", type=Path, required=True, help="folder to write to")


def _add_plant(plant: argparse.ArgumentParser) -> None:
    plant.add_argument("--seed", type=int, default=7)
    plant.add_argument("--speed", type=float, default=1.0, help="plant seconds in a second of the wall clock")
    plant.add_argument(
        "--start", type=_time, help="plant time to start at, ISO 8601; today 08:00 in Shanghai if left out"
    )
    plant.add_argument("--folder", type=Path, help="where cam1/ and truth.json go; a new temporary folder if left out")
    plant.add_argument("--hold", action="store_true", help="stand still until `go` is written to stdin")
    plant.add_argument("--attached", action="store_true", help="quit when stdin closes")
    plant.add_argument("--opcua-port", type=int, default=4840, help="0: chosen by the system")
    plant.add_argument("--modbus-port", type=int, default=5020, help="0: chosen by the system")
    plant.add_argument(
        "--faults", type=int, metavar="SEED", help="let a seeded schedule of faults loose on the servers"
    )
    plant.add_argument(
        "--fault-pace", type=float, default=4.0, metavar="SECONDS", help="mean length of fault and pause"
    )


def _add_record(record: argparse.ArgumentParser) -> None:
    record.add_argument("target", help="modbus://host:port, then let the client call here; or opc.tcp://host:port/")
    record.add_argument("--out", type=Path, required=True, help="the recording, JSON lines")
    record.add_argument("--listen", type=int, default=0, help="Modbus: where the client calls; 0: chosen by the system")
    record.add_argument(
        "--security", default="", help="OPC UA: policy,mode,certificate,key such as Basic256Sha256,SignAndEncrypt,..."
    )
    record.add_argument("--most", type=int, default=5000, help="OPC UA: at most this many nodes")
    record.add_argument("--every", dest="every_s", type=float, default=0.1, metavar="SECONDS", help="OPC UA: how often")
    record.add_argument("--attached", action="store_true", help="end when stdin closes")


def _add_replay(replay: argparse.ArgumentParser) -> None:
    replay.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recordings; all start at once")
    replay.add_argument("--speed", type=float, default=1.0, help="seconds of the recording in a second")
    replay.add_argument("--port", type=int, default=0, help="of the first, the others follow; 0: chosen by the system")
    replay.add_argument(
        "--as-recorded", action="store_true", help="source times as they were; left out, they move to now"
    )
    replay.add_argument("--attached", action="store_true", help="end when stdin closes")


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise argparse.ArgumentTypeError("write the offset too, such as 2026-11-22T08:00:00+08:00")
    return time


if __name__ == "__main__":
    main()
