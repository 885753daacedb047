#!/usr/bin/env python3
"""No fault that is planted for the rows, and no switch for one, is in the product's own binary.

Usage: planted_test.py --signet BINARY --planted BINARY
"""

import argparse
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from planted import PLANTS  # noqa: E402: from beside this file


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signet", type=pathlib.Path, required=True)
    parser.add_argument("--planted", type=pathlib.Path, required=True)
    options = parser.parse_args()
    source = (HERE / "planted" / "planted_wiring.cc").read_text()
    names = set(re.findall(r'planted\("([a-z-]+)"\)', source))
    tried = {fault for fault, _ in PLANTS}
    problems = [f"'{name}' is planted and never tried: name its row in planted.py" for name in sorted(names - tried)]
    problems += [f"'{name}' is tried and planted nowhere" for name in sorted(tried - names)]
    product, planted = options.signet.read_bytes(), options.planted.read_bytes()
    for mark in ["SIGNET_PLANT", *sorted(names)]:
        if mark.encode() in product:
            problems.append(f"{options.signet} has {mark} in it")
        if mark.encode() not in planted:
            problems.append(f"{options.planted} does not have {mark} in it: would this test notice it?")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
