#!/usr/bin/env python3
"""The reliability scoreboard: runs rows against a signet binary and prints one line for each.

Usage: scoreboard.py --signet BINARY [--full] [--seed N] [ROW...]      e.g. scoreboard.py --signet build/asan/signet R1 R12

R0 runs other rows against the binary with planted faults (--planted), and wants them to fail.
"""

import argparse
import importlib
import os
import pathlib
import random
import re
import secrets
import signal
import sys
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import planted  # noqa: E402: from beside this file
from gateway import GatewayFailed  # noqa: E402
from row import Bench, Outcome, Skip  # noqa: E402

PASSED, FAILED, BROKEN, SKIPPED = 0, 1, 2, 77  # exit codes; CTest knows the last
MOST_FAULTS = 40  # that are printed
ROWS = {"R" + re.match(r"r0*(\d+)_", file.name).group(1): file.stem
        for file in sorted((pathlib.Path(__file__).resolve().parent / "rows").glob("r[0-9]*_*.py"))}


def measure(row, options, seed):
    """@returns the row's Outcome. @raises Skip"""
    if row == "R0":
        return planted.measure(options, random.Random(seed))
    if row == "R8" and options.power is None:
        raise Skip("--power says where the module is that forgets what was not synced")
    # Only the binary with planted faults can be told to die at an instant that has a name.
    with Bench(options.planted if row in ("R2", "R22", "R31") and options.planted else options.signet, seed, options.full) as bench:
        bench.power_module = options.power and options.power.resolve()
        bench.failing_module = options.failing and options.failing.resolve()
        bench.crowd = options.crowd and options.crowd.resolve()
        try:
            return importlib.import_module("rows." + ROWS[row]).measure(bench)
        except (GatewayFailed, TimeoutError) as error:
            return Outcome(f"it could not be measured: {str(error).splitlines()[0]}", "a gateway that serves", [str(error)])


def run(row, options, seed):
    """Prints the row's line, and what is behind a failure on the error output. @returns an exit code"""
    try:
        outcome = measure(row, options, seed)
    except Skip as skip:
        print(f"{row} SKIP {skip}", flush=True)
        return SKIPPED
    except Exception:
        traceback.print_exc()
        print(f"{row} BROKEN the row itself broke down (seed {seed})", flush=True)
        return BROKEN
    for fault in outcome.faults[:MOST_FAULTS]:
        print(f"{row}: {fault}", file=sys.stderr)
    print(f"{row} {'PASS' if outcome.passed else 'FAIL'} {outcome.figure} (bar {outcome.bar}, seed {seed})", flush=True)
    return PASSED if outcome.passed else FAILED


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(BROKEN))  # in good order: directories and gateways go
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signet", type=pathlib.Path, required=True, help="the binary under test")
    parser.add_argument("--planted", type=pathlib.Path, help="for R0: the binary with planted faults")
    parser.add_argument("--power", type=pathlib.Path, help="for R8: the module that forgets what was not synced")
    parser.add_argument("--failing", type=pathlib.Path, help="for R7: the module that lets a write to a file fail")
    parser.add_argument("--crowd", type=pathlib.Path, help="for R18: the program that posts for hundreds of connections")
    parser.add_argument("--full", action=argparse.BooleanOptionalAction, default=bool(os.environ.get("SIGNET_TEST_FULL")),
                        help="the whole of each row instead of a quick share")
    parser.add_argument("--seed", type=int, help="repeats a run's dice, if not its timing")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)}; all without any")
    options = parser.parse_args()
    rows = options.rows or (["R0"] if options.planted else []) + list(ROWS)
    unknown = [row for row in rows if row not in ROWS and row != "R0"]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are R0, {', '.join(ROWS)}")
    if "R0" in rows and options.planted is None:
        parser.error("R0 needs --planted")
    codes = [run(row, options, options.seed if options.seed is not None else secrets.randbelow(1 << 31)) for row in rows]
    return SKIPPED if all(code == SKIPPED for code in codes) else max(code for code in codes if code != SKIPPED)


if __name__ == "__main__":
    sys.exit(main())
