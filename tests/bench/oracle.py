#!/usr/bin/env python3
"""Whether the time that an answer takes tells why a message could not be decrypted.

Every one of these failures has the same answer (docs/security.md); here a partner's recorded message is changed in the ways in which attacks
change it (Bleichenbacher 1998, Vaudenay 2002, RFC 3218) and posted to `signet serve`, all kinds in turn and in an order that dice give, and the
times of each two kinds are compared by Mann and Whitney's U test. Its effect size is what counts: AUC, the chance that an answer of the second
kind takes longer than one of the first. 0.5 is nothing to be told. The first kind is posted twice in each round, as two kinds: how far
those two are apart is what the machine itself does.
"""

import argparse
import itertools
import json
import math
import pathlib
import random
import re
import socket
import statistics
import sys
import time

FAULTS = pathlib.Path(__file__).resolve().parents[1] / "faults"
sys.path.insert(0, str(FAULTS))

from row import Bench  # noqa: E402  (the rows' gateway and partner are used here too)
from sim import openssl  # noqa: E402
from sim.messages import Mdn, new_message_id  # noqa: E402
from sim.wire import Headers  # noqa: E402

KEY_SIZE = 32      # octets of a content key for AES-256
BLOCK = 16         # octets
RSA_OCTETS = 256   # of RSA-2048
SUSPECT_P = 0.001  # of a difference by chance, scoreboard's bar
WARM_UP = 20       # rounds at most that are not counted


class Failed(Exception):
    pass


class Recorded:
    """A good message's body, to be changed in place. The sizes stay, so a change is visible to who decrypts alone."""

    def __init__(self, body, modulus):
        self.body = body
        self.modulus = modulus
        header = bytes([0x04, 0x82, RSA_OCTETS >> 8, RSA_OCTETS & 0xFF])  # of the OCTET STRING encryptedKey [RFC5652 6.2.1]
        if body.count(header) < 1:
            raise Failed("the encrypted key is not found in the message")
        self._key_at = body.index(header) + len(header)

    def with_key_block(self, block):
        """The block becomes what RSA decrypts to."""
        sealed = pow(int.from_bytes(block), 65537, self.modulus).to_bytes(RSA_OCTETS)
        return self.body[:self._key_at] + sealed + self.body[self._key_at + RSA_OCTETS:]

    def with_flipped(self, offset, mask):
        """`offset` is counted from the end, where the ciphertext ends."""
        changed = bytearray(self.body)
        changed[-offset] ^= mask
        return bytes(changed)

    def with_flipped_iv(self, mask):
        oid = bytes.fromhex("060960864801650304012a0410")  # AES-256-CBC, and the header of its IV
        at = self.body.index(oid) + len(oid)
        return self.body[:at] + bytes([self.body[at] ^ mask]) + self.body[at + 1:]


def pkcs1(dice, key):
    """[RFC8017 7.2.1]"""
    padding = bytes(dice.randrange(1, 256) for _ in range(RSA_OCTETS - 3 - len(key)))
    return b"\x00\x02" + padding + b"\x00" + key


def kinds(recorded, dice):
    """What is wrong, by where it is seen first, and a body of that kind. Of the last three the padding is right: whoever can tell one of them
    from the others has the answer that he asked for."""
    return {
        "RSA: no padding": lambda: recorded.with_key_block(b"\x00" + dice.randbytes(RSA_OCTETS - 1)),
        "RSA: no padding, again": lambda: recorded.with_key_block(b"\x00" + dice.randbytes(RSA_OCTETS - 1)),
        "RSA: key too short": lambda: recorded.with_key_block(pkcs1(dice, dice.randbytes(KEY_SIZE - 1))),
        "RSA: another key": lambda: recorded.with_key_block(pkcs1(dice, dice.randbytes(KEY_SIZE))),
        "AES: padding": lambda: recorded.with_flipped(BLOCK + 1, 0x40),
        "MIME: end": lambda: recorded.with_flipped(2 * BLOCK + 1, 0x01),
        "MIME: not signed": lambda: recorded.with_flipped_iv(0x01),
        "CMS: digest": lambda: recorded.with_flipped(len(recorded.body) // 2, 0x01),
    }


class Poster:
    """One keep-alive connection; an answer's time is from the last octet sent to the first one read."""

    def __init__(self, address):
        self._socket = socket.create_connection(address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(60)

    def post(self, octets):
        self._socket.sendall(octets)
        started = time.perf_counter_ns()
        answer = self._socket.recv(65536)
        seconds = (time.perf_counter_ns() - started) / 1e9
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more()
        length = int(re.search(rb"\r\ncontent-length: *(\d+)", answer[:end], re.IGNORECASE).group(1))
        while len(answer) < end + 4 + length:
            answer += self._more()
        return seconds, answer

    def _more(self):
        octets = self._socket.recv(65536)
        if not octets:
            raise Failed("the gateway closed the connection")
        return octets

    def close(self):
        self._socket.close()


def request_with(message, body):
    message.body = body
    return message.request(new_message_id())


def undecrypted(answer):
    """@raises Failed  the answer is another than the one that all failures to decrypt have."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, _, fields = head.decode("latin-1").partition("\r\n")
    said = Mdn(Headers.parse(fields), body).disposition if " 200 " in status else status
    if "decryption-failed" not in said:
        raise Failed(f"answered {said!r}")


def measure(bench, rounds, size):
    trade = bench.trade(messages=1, size=size)
    message = trade.messages[0]
    modulus = int(openssl.openssl("x509", "-in", trade.gateway.certificate, "-noout", "-modulus").decode().strip().partition("=")[2], 16)
    wrong = kinds(Recorded(message.body, modulus), bench.dice)
    seconds = {kind: [] for kind in wrong}
    trade.gateway.start("--decryption-failures", "0")
    poster = Poster(trade.gateway.address())
    for number in range(-min(WARM_UP, rounds), rounds):
        # Made before any is posted: what we do between two posts would show in the gateway's caches and sleep.
        posts = [(kind, request_with(message, change())) for kind, change in wrong.items()]
        bench.dice.shuffle(posts)
        for kind, octets in posts:
            took, answer = poster.post(octets)
            try:
                undecrypted(answer)
            except Failed as failed:
                raise Failed(f"{kind}: {failed}") from None
            if number >= 0:
                seconds[kind].append(took)
    poster.close()
    if trade.gateway.terminate() != 0:
        raise Failed(f"the gateway did not end well:\n{trade.gateway.log_tail()}")
    return seconds


def mann_whitney(first, second):
    """@returns AUC, and the two-sided p of the normal approximation (samples are large, and times hardly ever equal)."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = 0.0
    for _, tied in itertools.groupby(enumerate(ranked, start=1), key=lambda entry: entry[1][0]):
        tied = list(tied)
        mean = (tied[0][0] + tied[-1][0]) / 2
        ranks += mean * sum(which for _, (_, which) in tied)
    m, n = len(first), len(second)
    u = ranks - n * (n + 1) / 2
    z = (u - m * n / 2) / math.sqrt(m * n * (m + n + 1) / 12)
    return u / (m * n), math.erfc(abs(z) / math.sqrt(2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signet", type=pathlib.Path, required=True, help="the release binary")
    parser.add_argument("--rounds", type=int, default=500, help="answers of each kind (500)")
    parser.add_argument("--size", type=int, default=10_000, help="octets of the payload (10000)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the dice")
    parser.add_argument("--json", type=pathlib.Path, help="write all times to this file, in seconds")
    options = parser.parse_args()
    with Bench(options.signet, seed=options.seed, full=False) as bench:
        seconds = measure(bench, options.rounds, options.size)
    if options.json:
        options.json.write_text(json.dumps(seconds) + "\n")
    print(f"{options.rounds} answers of each kind, {options.size} octets, seed {options.seed}\n")
    for kind, times in seconds.items():
        quartiles = statistics.quantiles(times, n=4)
        print(f"  {kind:24} median {quartiles[1] * 1e3:8.3f} ms, middle half {quartiles[0] * 1e3:.3f} to {quartiles[2] * 1e3:.3f} ms")
    print(f"\n  {'AUC':>6} {'p':>9}")
    for first, second in itertools.combinations(seconds, 2):
        auc, p = mann_whitney(seconds[first], seconds[second])
        print(f"  {auc:6.3f} {p:9.2g} {'*' if p < SUSPECT_P else ' '} {first} / {second}")
    print(f"\n* told apart: by chance in fewer than {SUSPECT_P:g} of all runs")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"oracle: {failed}")
