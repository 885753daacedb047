"""R0: each row must be seen to fail. A row is run against a binary with one fault planted in it (planted/planted_wiring.cc), and
has to say so."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

from row import Outcome

QUICK_SHARE = 3  # of the faults, another choice in each run

# The fault, and the row that has to find it.
PLANTS = [
    ("reply-before-commit", "R1"),
    ("forget-undelivered", "R1"),
    ("forget-undelivered", "R2"),
    ("forget-queued", "R2"),
    ("crash-on-missing-names", "R3"),
    ("processed-though-not-stored", "R6"),
    ("processed-though-not-stored", "R7"),
    ("skip-fsync", "R8"),
    ("hang-at-the-end", "R9"),
    ("processed-though-not-stored", "R10"),
    ("one-lane-for-all", "R11"),
    ("believe-any-receipt", "R11"),
    ("forget-repeats", "R12"),
    ("no-deadlines", "R13"),
    ("wait-in-the-loop", "R13"),
    ("hoard-memory", "R14"),
    ("skip-fsync", "R17"),
    ("endless-queue", "R18"),
    ("keys-in-a-temporary-file", "R20"),
    ("forget-no-key", "R21"),
    ("believe-any-blob", "R22"),
    ("use-keys-without-a-record", "R23"),
    ("any-permission-will-do", "R24"),
    ("tokens-never-end", "R24"),
    ("connect-where-told", "R27"),
    ("write-as-named", "R27"),
    ("stopped-clock", "R28"),
    ("state-before-its-list", "R31"),
]


def measure(options, dice):
    plants = PLANTS if options.full else dice.sample(PLANTS, QUICK_SHARE)
    tools = [argument for name in ("power", "failing", "crowd") if getattr(options, name)
             for argument in (f"--{name}", str(getattr(options, name)))]

    def run(plant):
        fault, row = plant
        command = [sys.executable, str(pathlib.Path(__file__).with_name("scoreboard.py")), "--signet", str(options.planted),
                   "--no-full", *tools, row]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "SIGNET_PLANT": fault})
        return done.stdout

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        lines = list(pool.map(run, plants))
    skipped = [line for line in lines if " SKIP " in line]
    missed = [f"'{fault}' was not found: {line.strip() or 'no answer'}" for (fault, row), line in zip(plants, lines)
              if line not in skipped and not line.startswith(f"{row} FAIL ")]
    tried = len(plants) - len(skipped)
    return Outcome(f"{tried - len(missed)} of {tried} planted faults caught"
                   + (f", {len(skipped)} not tried here" if skipped else "")
                   + ("" if options.full else f", picked from {len(PLANTS)}"), "all", missed)
