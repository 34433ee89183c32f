"""`python -m simulators`: argv only."""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    """Run one of the commands; exit code 2 on a wrong command line."""
    parser = argparse.ArgumentParser(prog="simulators", description="A plant in virtual time behind real servers.")
    commands = parser.add_subparsers(dest="command", required=True)
    draw = commands.add_parser("draw", help="write a labelled set of casting pictures")
    draw.add_argument("--count", type=int, default=100, help="how many pictures")
    draw.add_argument("--seed", type=int, default=7)
    draw.add_argument("--share", type=float, help="share of defective parts, 0..1; the line's own rate if left out")
    draw.add_argument("--out", type=Path, required=True, help="folder to write to")
    chosen = parser.parse_args()
    from simulators.sample import write

    write(chosen.out, chosen.count, chosen.seed, chosen.share)


if __name__ == "__main__":
    main()
