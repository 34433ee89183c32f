"""The command line: argv only. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.configuration.tables import LineFile

Commands = Any  # argparse keeps the type of its sub-commands to itself
VERSION = "0.1.0"
MISTAKE = 2  # exit code: something the user wrote is wrong


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    root = argparse.ArgumentParser(prog="tanchang", description="探厂: measure, inspect, schedule and publish a line.")
    root.add_argument("--version", action="version", version=f"tanchang {VERSION}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    _add_line(commands)
    _add_commissioning(commands)
    _add_ledger(commands)
    _add_demo(commands)
    return root


def _add_line(commands: Commands) -> None:
    check = commands.add_parser("check", help="check a line file; print every mistake")
    check.add_argument("file", type=Path)
    check.add_argument("--live", action="store_true", help="read every tag once; 1 where one is bad")

    run = commands.add_parser("run", help="run the agent of one line")
    run.add_argument("file", type=Path)
    run.add_argument("--data", type=Path, default=Path("data"), help="where ledger and evidence are kept")
    run.add_argument("--attached", action="store_true", help="stop when standard input closes")

    trust = commands.add_parser("trust", help="which OPC UA servers the agent may talk to, by their certificates")
    trust.add_argument("what", choices=["list", "accept", "remove"])
    trust.add_argument("file", type=Path, help="the line file")
    trust.add_argument("thumbprint", nargs="?", help="SHA-256 as `list` shows it, or its first digits")

    commands.add_parser("doctor", help="check this installation; say what to mend")
    commands.add_parser("schema", help="print the JSON schema of a line file")


def _add_commissioning(commands: Commands) -> None:
    taken = commands.add_parser("import", help="a tag list of another system as a device table")
    taken.add_argument("dialect", choices=["kepware", "neuron", "tia-csv"])
    taken.add_argument("file", type=Path, help="the list as CSV or workbook (xlsx)")
    taken.add_argument("--device", required=True, metavar="NAME", help="what to call the device")
    taken.add_argument("--host", required=True, help="where it is; no list says")
    taken.add_argument("--port", type=int, help="502 for Modbus, 4840 for OPC UA unless told")
    taken.add_argument("--unit", type=int, default=1, help="for lists that do not say")
    taken.add_argument("--address-base", type=int, choices=[0, 1], help="whether addresses count from 0 or 1")
    taken.add_argument("--word-order", choices=["ABCD", "CDAB", "BADC", "DCBA"], help="of values of several registers")
    taken.add_argument("--endian", action="append", default=[], metavar="LL=ABCD", help="what Neuron's #LL means")
    taken.add_argument("--out", type=Path, metavar="FILE", help="instead of standard output")

    probe = commands.add_parser("probe", help="what is there: an OPC UA server or a Modbus address")
    probe.add_argument("address", help="opc.tcp://host:port/ or modbus://host:port")
    probe.add_argument("--units", default="1-16", help="Modbus: which to ask, such as 1-16 or 1,2,10")
    probe.add_argument("--span", type=int, default=400, help="Modbus: look for registers in 0 to here")
    probe.add_argument("--most", type=int, default=5000, help="OPC UA: at most this many nodes")
    probe.add_argument("--timeout", type=float, metavar="SECONDS", help="of an answer: 1 for Modbus, 5 for OPC UA")
    probe.add_argument("--name", default="device1", help="what to call the device")
    probe.add_argument("--expect", metavar="HR8=16.2", help="Modbus: find type and word order by a value you see")
    _add_access(probe)


def _add_access(probe: argparse.ArgumentParser) -> None:
    """The keys of an OPC UA device table by which a server is called."""
    keys = probe.add_argument_group("how an OPC UA server is called, as in its device table")
    keys.add_argument("--security", default="sign_and_encrypt", metavar="none", help="an unsecured channel")
    keys.add_argument("--server-thumbprint", metavar="HEX", help="SHA-256 of the certificate that is believed")
    keys.add_argument("--server-host", metavar="HOST", help="which its certificate names, where it is another")
    keys.add_argument("--pki", default="pki", metavar="FOLDER", help="of our keys and of servers that were accepted")
    keys.add_argument("--username", metavar="NAME")
    keys.add_argument("--password-file", metavar="FILE")
    keys.add_argument("--user-certificate", metavar="FILE", help="to log in by, in place of a name")
    keys.add_argument("--user-private-key", metavar="FILE")
    keys.add_argument("--certificate", metavar="FILE", help="our own, in place of the one made in the folder")
    keys.add_argument("--private-key", metavar="FILE")


def _add_ledger(commands: Commands) -> None:
    verify = commands.add_parser("verify", help="prove a ledger: nothing lost, doubled or altered")
    verify.add_argument("what", choices=["ledger"])
    verify.add_argument("path", type=Path, help="the folder of a ledger, its file or a copy; it may be in use")
    verify.add_argument(
        "--against", type=Path, metavar="OTHER", help="another ledger, or a broker's records as JSON lines"
    )
    _span(verify, "tell only of what is wrong")

    replay = commands.add_parser(
        "replay", help="tell a stretch of a ledger's records to the broker once more, marked so"
    )
    replay.add_argument("file", type=Path, help="the line file, for topics and broker")
    replay.add_argument("path", type=Path, help="the folder of a ledger, its file or a copy; it may be in use")
    replay.add_argument("--broker", metavar="HOST:PORT", help="instead of the line file's")
    _span(replay, "only what is")

    export = commands.add_parser("export", help="records or samples of a ledger as a table")
    export.add_argument("path", type=Path, help="the folder of a ledger, its file or a copy; it may be in use")
    wanted = export.add_mutually_exclusive_group(required=True)
    wanted.add_argument(
        "--kind", metavar="KIND", help="count, state, inspection, kpi, plan, fault, gap, order, audit, reason, verdict"
    )
    wanted.add_argument("--samples", metavar="DEVICE.TAG", help="raw values of a tag")
    _span(export, "only what is")
    export.add_argument("--format", choices=["csv", "parquet"], default="csv")
    export.add_argument("--out", type=Path, metavar="FILE", help="instead of standard output")


def _add_demo(commands: Commands) -> None:
    demo = commands.add_parser("demo", help="plant, broker, agent, panel and tour on this machine")
    demo.add_argument("--for", dest="duration", metavar="TIME", help="headless: run this long after the first figure")
    demo.add_argument("--speed", type=float, default=None, help="plant seconds in a second (10, headless 60)")
    demo.add_argument("--seed", type=int, default=7)
    demo.add_argument("--report", type=Path, help="write the balance as JSON")
    demo.add_argument("--data", type=Path, help="keep ledger and images here instead of a temporary folder")
    demo.add_argument("--kill-agent-at", metavar="TIME", help="kill -9 the agent at this time and start it again")
    demo.add_argument("--tamper", metavar="WHAT", help="{record,message,display}-{drop,double,alter}: falsify one")

    simulate = commands.add_parser("simulate", help="a simulated plant in place of PLCs", add_help=False)
    simulate.add_argument("rest", nargs=argparse.REMAINDER)
    tour = commands.add_parser("tour", help="the tour displays, fed over MQTT", add_help=False)
    tour.add_argument("rest", nargs=argparse.REMAINDER)


def _span(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--from", dest="since", metavar="TIME", help=f"{what} from this plant time on (ISO 8601)")
    command.add_argument("--to", dest="until", metavar="TIME", help=f"{what} before this plant time")


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 for a failed check, 2 for a mistake in what was written."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] in (["simulate"], ["tour"]):
        module = {"simulate": "simulators", "tour": "gateway.tour"}[argv[0]]
        os.execv(sys.executable, [sys.executable, "-m", module, *argv[1:]])
    arguments = parser().parse_args(argv)
    try:
        return COMMANDS[arguments.command](arguments)
    except KeyboardInterrupt:
        return 130


def _check(arguments: argparse.Namespace) -> int:
    line = _checked(arguments.file)
    if line is None:
        return MISTAKE
    if not arguments.live:
        return 0
    from agent.commands.livecheck import check_live

    return check_live(line)


def _checked(path: Path) -> LineFile | None:
    """The line file, None where it cannot be used; what is to be said of it is said."""
    from agent.linefile import LineFileError, load

    try:
        line = load(path)
    except LineFileError as error:
        print(error, file=sys.stderr)
        return None
    except OSError as error:
        print(f"{path}: cannot be read ({error.strerror}); check the path", file=sys.stderr)
        return None
    tags = sum(len(device.tags) for device in line.devices)
    print(f"{path}: {len(line.machine)} machines, {len(line.device)} devices, {tags} tags; no mistakes")
    for device in line.devices:
        for warning in device.warnings:
            print(f"{path}: warning: device {device.name}: {warning}", file=sys.stderr)
    return line


def _import(arguments: argparse.Namespace) -> int:
    from agent.taglist.command import take_over
    from agent.taglist.draft import Choices

    endian = dict(pair.partition("=")[::2] for pair in arguments.endian)
    choices = Choices(
        device=arguments.device,
        host=arguments.host,
        port=arguments.port,
        unit=arguments.unit,
        address_base=arguments.address_base,
        word_order=arguments.word_order,
        endian=endian,
    )
    return take_over(arguments.dialect, arguments.file, choices, arguments.out)


def _probe(arguments: argparse.Namespace) -> int:
    from agent.commands.probe import Scope, probe

    given = {name: value for name, value in vars(arguments).items() if name not in ("command", "address")}
    return probe(arguments.address, Scope(**given))


def _run(arguments: argparse.Namespace) -> int:
    line = _checked(arguments.file)
    if line is None:
        return MISTAKE
    from agent.app import run

    return run(line, arguments.file, arguments.data, attached=arguments.attached)


def _trust(arguments: argparse.Namespace) -> int:
    from agent.commands.trust import trust
    from agent.linefile import LineFileError, load

    try:
        return trust(load(arguments.file), arguments.what, arguments.thumbprint)
    except (LineFileError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return MISTAKE


def _doctor(_: argparse.Namespace) -> int:
    from agent.commands.doctor import examine

    findings = examine()
    for finding in findings:
        print(finding)
    return 1 if any(finding.wrong for finding in findings) else 0


def _schema(_: argparse.Namespace) -> int:
    import json

    from agent.linefile import schema

    print(json.dumps(schema(), indent=1, ensure_ascii=False))
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    from agent.demo.run import demo, settings
    from agent.demo.stage import DemoError

    try:
        return demo(settings(vars(arguments)))
    except DemoError as error:
        print(error, file=sys.stderr)
        return MISTAKE


def _verify(arguments: argparse.Namespace) -> int:
    from agent.commands.proof import verify

    return verify(arguments.path, arguments.since, arguments.until, arguments.against)


def _replay(arguments: argparse.Namespace) -> int:
    from agent.commands.replay import replay

    return replay(arguments.file, arguments.path, arguments.since, arguments.until, arguments.broker)


def _export(arguments: argparse.Namespace) -> int:
    from agent.commands.export import Wanted, export
    from agent.commands.proof import instant
    from agent.commands.verify import FAR
    from agent.model import Kind

    if arguments.kind and arguments.kind not in list(Kind):
        print(f"no kind {arguments.kind}; there are {', '.join(Kind)}", file=sys.stderr)
        return MISTAKE
    try:
        span = instant(arguments.since, 0), instant(arguments.until, FAR)
    except ValueError as error:
        print(error, file=sys.stderr)
        return MISTAKE
    return export(arguments.path, Wanted(arguments.kind, arguments.samples, *span), arguments.format, arguments.out)


COMMANDS = {
    "check": _check,
    "import": _import,
    "probe": _probe,
    "run": _run,
    "trust": _trust,
    "doctor": _doctor,
    "schema": _schema,
    "demo": _demo,
    "verify": _verify,
    "export": _export,
    "replay": _replay,
}


if __name__ == "__main__":
    sys.exit(main())
