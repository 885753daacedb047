#!/usr/bin/env python3
"""The guard over what a message costs: the instructions that `signet serve` executes for a 10 KB message, in and out, counted by callgrind.

Times come and go with the machine; instructions hardly do. The figures that are accepted stand in instructions.json beside this file. More
than TOLERANCES above one of them is a failure; --accept writes what was counted instead, for a change that is worth its price.
"""

import argparse
import collections
import json
import pathlib
import re
import sys
import time

FAULTS = pathlib.Path(__file__).resolve().parents[1] / "faults"
sys.path.insert(0, str(FAULTS))

from row import Bench  # noqa: E402  (the rows' gateway and partner are used here too)
from sim.client import Load  # noqa: E402
from sim.openssl import Identity  # noqa: E402
from sim.server import PartnerServer  # noqa: E402

ACCEPTED = pathlib.Path(__file__).resolve().with_name("instructions.json")
ALL, OURS = "all", "outside OpenSSL"  # four fifths of all are RSA, behind which much of ours could hide
TOLERANCES = {ALL: 0.05, OURS: 0.10}  # of ours, a few in a hundred come and go with what happens to meet in one commit
# Messages of two runs; the difference is free of starting, ending and first times. It is long enough for a connection to the store, which
# reads the whole schema and may be opened in the second run alone, to weigh less than one in a hundred of a message.
FEW, MANY = 4, 164
SIZE = 10_000      # octets of a payload
PATIENCE = 300.0   # seconds

# The same code in OpenSSL and in the C library whatever the processor is: SSE4.2, AES and PCLMUL instructions, nothing later.
SAME_PROCESSOR = {
    "OPENSSL_ia32cap": "0x02180203178bfbff:0",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX,-AVX512F,-BMI2,-ERMS,-FSRM,-AVX_Fast_Unaligned_Load",
}


class Failed(Exception):
    pass


def instructions(gateway, exchange):
    """Serves under callgrind while `exchange` does its part. @returns what was executed from the start to the end"""
    profile = gateway.directory / "callgrind.out"
    profile.unlink(missing_ok=True)
    gateway.start(environment=SAME_PROCESSOR,
                  wrapper=["valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={profile}"])
    exchange()
    code = gateway.terminate()
    if code != 0:
        raise Failed(f"the gateway ended with {code}:\n{gateway.log_tail()}")
    costs = costs_by_object(profile)
    return {ALL: sum(costs.values()), OURS: sum(cost for name, cost in costs.items() if "/libcrypto.so" not in name)}


def costs_by_object(profile):
    """Reads a file of callgrind's ("Callgrind Format Specification"): each object's own cost, without that of what it calls."""
    costs, names = collections.Counter(), {}
    current, skip = "", False
    with open(profile) as lines:
        for line in lines:
            if named := re.match(r"(c?ob)=(\(\d+\))(?: (.+))?", line):
                kind, number, name = named.groups()
                names.setdefault(number, name)
                if kind == "ob":
                    current = names[number]
            elif line.startswith("calls="):
                skip = True  # the line behind it is the callee's cost
            elif line[0] in "0123456789+-*":
                if not skip:
                    costs[current] += int(line.split()[1])
                skip = False
    return costs


def per_message(gateway, exchange):
    """`exchange` is given a number of messages."""
    few, many = (instructions(gateway, lambda: exchange(count)) for count in (FEW, MANY))
    return {kind: round((many[kind] - few[kind]) / (MANY - FEW)) for kind in few}


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"the messages were not settled within {PATIENCE:.0f} s")
        time.sleep(0.05)


def inbound(bench):
    """Posted one after the other: decrypted, verified, answered by a signed receipt, delivered to a folder."""
    trade = bench.trade(messages=4, size=SIZE)

    def exchange(count):
        Load(trade.gateway.address, trade.ledger, trade.messages, connections=1, count=count).start().wait()
        until(lambda: not trade.gateway.messages("--direction", "inbound", "--state", "accepted", limit=1))

    counted = per_message(trade.gateway, exchange)
    trade.back_end.collect()
    return counted, trade.check()


def outbound(bench):
    """Picked up from a folder, signed, encrypted, posted; the receipt verified."""
    directory = bench.directory / "outbound"
    directory.mkdir()
    own, partner = (Identity.create(directory, name) for name in ("gateway", "partner"))
    with PartnerServer(partner, own.certificate) as server:
        trade = bench.trade(messages=1, directory=directory, partner=partner, own_key=(own.key, own.certificate), url=server.url,
                            send='<x:pickup stableFor="500ms"/>')
        folder = trade.gateway.pickup_folder
        folder.mkdir(parents=True)
        document = trade.messages[0].payload

        def exchange(count):
            before = len(server.opened)
            for number in range(count):
                part = folder / f"{number}.part"
                part.write_bytes(document)
                part.rename(folder / f"{number}.edi")
            until(lambda: len(server.opened) == before + count and not any(file.is_file() for file in folder.rglob("*")))

        counted = per_message(trade.gateway, exchange)
        states = [message["state"] for message in trade.gateway.messages("--direction", "outbound")]
    faults = server.check() + trade.check()
    if states != ["confirmed"] * (FEW + MANY):
        faults.append(f"the messages' states are {', '.join(sorted(set(states)))}")
    return counted, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signet", type=pathlib.Path, required=True, help="the release binary")
    parser.add_argument("--accept", action="store_true", help="make what is counted now the figures that are accepted")
    options = parser.parse_args()
    counted = {}
    for path in (inbound, outbound):
        with Bench(options.signet, seed=1, full=False) as bench:
            counted[path.__name__], faults = path(bench)
        if faults:
            raise Failed(f"{path.__name__}: " + "; ".join(faults))
    if options.accept:
        ACCEPTED.write_text(json.dumps(counted, indent=2) + "\n")
    if any_grown(counted, json.loads(ACCEPTED.read_text())):
        raise Failed("a message costs more than is accepted: find what it is, or, if it is worth that, ./dev guard --accept")


def any_grown(counted, accepted):
    """Prints the figures beside those that are accepted. @returns whether one is beyond its tolerance"""
    grown = False
    for path, kinds in counted.items():
        for kind, now in kinds.items():
            growth = now / accepted[path][kind] - 1
            grown |= growth > TOLERANCES[kind]
            print(f"{path}, {kind}: {now:,} instructions a message, {growth:+.1%} (accepted: {accepted[path][kind]:,}, bar {TOLERANCES[kind]:+.0%})")
    return grown


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"guard: {failed}")
