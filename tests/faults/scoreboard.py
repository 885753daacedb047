#!/usr/bin/env python3
"""The reliability scoreboard: runs rows against a signet binary and prints one line for each.

Usage: scoreboard.py --signet BINARY [--full] [--seed N] [ROW...]      e.g. scoreboard.py --signet build/asan/signet R1 R12
"""

import argparse
import importlib
import os
import pathlib
import re
import secrets
import sys
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from row import Bench, Skip  # noqa: E402: from beside this file

SKIPPED = 77  # what CTest is told by
ROWS = {"R" + re.match(r"r0*(\d+)_", file.name).group(1): file.stem
        for file in sorted((pathlib.Path(__file__).resolve().parent / "rows").glob("r[0-9]*_*.py"))}


def measure(row, signet, seed, full, plant=None):
    """@returns the row's Outcome. @raises Skip"""
    module = importlib.import_module("rows." + ROWS[row])
    with Bench(signet, seed, full, plant) as bench:
        return module.measure(bench)


def run(row, options, seed):
    """Prints the row's line, and what is behind a failure on the error output. @returns passed, skipped"""
    try:
        outcome = measure(row, options.signet, seed, options.full)
    except Skip as skip:
        print(f"{row} SKIP {skip}", flush=True)
        return True, True
    except Exception:
        traceback.print_exc()
        print(f"{row} FAIL the row itself broke down (seed {seed})", flush=True)
        return False, False
    for fault in outcome.faults[:40]:
        print(f"{row}: {fault}", file=sys.stderr)
    print(f"{row} {'PASS' if outcome.passed else 'FAIL'} {outcome.figure} (bar {outcome.bar}, seed {seed})", flush=True)
    return outcome.passed, False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signet", type=pathlib.Path, required=True, help="the binary under test")
    parser.add_argument("--full", action="store_true", default=bool(os.environ.get("SIGNET_TEST_FULL")),
                        help="the whole of each row instead of a quick share")
    parser.add_argument("--seed", type=int, help="repeats a run's dice, if not its timing")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; all without any")
    options = parser.parse_args()
    unknown = [row for row in options.rows if row not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    results = [run(row, options, options.seed if options.seed is not None else secrets.randbelow(1 << 31))
               for row in options.rows or ROWS]
    if not all(passed for passed, _ in results):
        return 1
    return SKIPPED if all(skipped for _, skipped in results) else 0


if __name__ == "__main__":
    sys.exit(main())
