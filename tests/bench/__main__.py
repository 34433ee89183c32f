"""`python -m tests.bench [NAME ...] [--json]`: each benchmark measures us and a peer in the same run."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from importlib import import_module

BENCHMARKS = ("start", "e2e", "panel", "store", "backlog", "opcua", "opcua_poll", "modbus")


def main() -> int:
    """Run the named benchmarks, all without a name; exit 1 where a target does not hold."""
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--json", action="store_true", help="one JSON object a benchmark instead of a table")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    holds = True
    for name in arguments.names or BENCHMARKS:
        result = asyncio.run(import_module(f"tests.bench.{name}").measure())
        holds &= all(target.holds for target in result.targets)
        print(json.dumps(result.as_json()) if arguments.json else result.as_table(), flush=True)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
