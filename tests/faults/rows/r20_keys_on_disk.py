"""R20: the numbers of private keys are on no disk in the clear, however they are spelled and whatever is done with the keys."""

import known_keys
from known_keys import KnownKey
from row import Outcome
from sim.client import Load

PASSPHRASE = "a passphrase of the file"


def measure(bench):
    outside = bench.directory / "outside"  # what came from there is not looked through
    outside.mkdir()
    inside = bench.directory / "inside"
    temporary = inside / "tmp"
    temporary.mkdir(parents=True)
    passphrase = outside / "passphrase"
    passphrase.write_text(PASSPHRASE)
    keys = [KnownKey(outside, f"known-{number}", "RSA" if number % 2 == 0 else "EC") for number in range(bench.share(6, 20))]
    keys[-2].as_pfx(PASSPHRASE)
    keys[-1].as_pfx(PASSPHRASE)
    trade = bench.trade(messages=4, directory=inside, own_key=(keys[0].file, keys[0].certificate))
    gateway = trade.gateway
    # The partner's own key, which lies beside, is none of these.
    gateway.environment["TMPDIR"] = str(temporary)
    for key in keys[1:]:
        options = ["--passphrase-file", passphrase] if key.key_file.suffix == ".pfx" else []
        gateway.run("vault", "key", "import", key.name, key.key_file, *options)
        gateway.run("vault", "key", "backup", key.name, "--file", inside / f"{key.name}.backup")
    exercise(bench, trade, inside)
    looked_at, faults = known_keys.search_files([inside], known_keys.spellings_of(keys))
    faults += known_keys.modes_that_are_open(gateway.home)
    trade.settle()
    faults += trade.check()
    return Outcome(f"{len(keys)} keys, {len(known_keys.spellings_of(keys))} spellings, {looked_at} files, {len(faults)} hits",
                   "0 hits, nothing for others to open", faults)


def exercise(bench, trade, inside):
    """Messages in, with the log at its most talkative, a death in between, and everything that can be taken out of a home."""
    gateway = trade.gateway
    gateway.start("--log-level", "debug")
    load = Load(gateway.address, trade.ledger, trade.messages, connections=2, count=bench.share(6, 60)).start()
    bench.pause(0.2, 0.6)
    gateway.kill()
    gateway.start("--log-level", "debug")
    load.wait()
    trade.back_end.collect()
    gateway.run("export", "--file", inside / "export.xml")
    accepted = gateway.messages("--direction", "inbound")[0]["id"]
    gateway.run("evidence", "export", accepted, "--to", inside / "evidence.tar")
    gateway.kill()  # so that the write-ahead log stays as it is
