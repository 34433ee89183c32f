"""Random machine-weeks beside the truth: `python -m tests.weeks N [SEED]`. Takes up again at the seed it printed."""

from __future__ import annotations

import sys
import time

from tests.weeks.check import checked

EVERY_S = 10.0


def main(number: int, seed: int) -> int:
    """Check weeks from `seed` on until `number` machine-weeks are done; 1 if any differs, with how to replay it."""
    done = failed = 0
    told = time.monotonic()
    while done < number:
        try:
            done += checked(seed)
        except AssertionError as error:
            failed, done = failed + 1, done + 1
            print(f"FAILED python -m tests.weeks 1 {seed}: {error!s:.300}", flush=True)
        seed += 1
        if time.monotonic() - told >= EVERY_S:
            told = time.monotonic()
            print(f"{done} of {number} machine-weeks, {failed} failed; go on with seed {seed}", flush=True)
    print(f"{done} machine-weeks, {failed} failed; next seed {seed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
