"""R22: a vault that starts sealed, wrong passphrases, changed and exchanged blobs, a master key that is changed while the gateway dies,
and things that are gone only after two operations."""

import http.client
import json
import sqlite3
import time

import failpoints
from audit import AuditLog
from gateway import GatewayFailed
from row import Outcome
from sim.client import Load, post_once
from sim.openssl import Identity
from sim.server import PartnerServer

PASSPHRASE = "correct horse battery staple"
NEW_PASSPHRASE = "another battery, another horse"
REFUSED, UNAVAILABLE = 1, 5  # exit codes


def measure(bench):
    faults, figures = [], []
    for part in (sealed, changed_blobs, master_keys, two_operations):
        figure, found = part(bench)
        figures.append(figure)
        faults += found
    return Outcome(", ".join(figures), "503 while sealed, each change refused, each death survived", faults)


# ---- Sealed


def sealed(bench):
    directory = bench.directory / "sealed"
    directory.mkdir()
    own, partner = (Identity.create(directory, name) for name in ("gateway", "partner"))
    with PartnerServer(partner, own.certificate) as server:
        trade = bench.trade(messages=2, directory=directory, partner=partner, own_key=(own.key, own.certificate), url=server.url,
                            passphrase=PASSPHRASE)
        gateway, faults = trade.gateway, []
        document = directory / "order.edi"
        document.write_bytes(b"ISA*00*")
        gateway.start("--operations-listen", "127.0.0.1:0", sealed=True)
        queued = gateway.run("send", "--queue", "--agreement", "trade", document)["id"]
        for number in range(bench.share(3, 30)):
            answer = post_once(gateway.address, trade.messages[0].request(f"<sealed-{number}@partner.test>"))
            if answer.status != 503 or not answer.headers.get("Retry-After"):
                faults.append(f"a message was answered {answer.status} by a sealed gateway")
        faults += [f"/{path} says {got}" for path, wanted in (("ready", (503, "sealed")), ("health", (200, "ok")))
                   if (got := operations(gateway, path)) != wanted]
        faults += wrong_passphrases(gateway)
        time.sleep(1.1)  # until the next one is looked at
        if trade.back_end.collect().count() or server.arrivals:
            faults.append("something was delivered or sent by a sealed gateway")
        message, = gateway.messages("--direction", "outbound")
        if (message["state"], message["attempts"]) != ("queued", 0):
            faults.append(f"a message that waits for the vault is {message['state']} after {message['attempts']} attempts")
        gateway.unseal(PASSPHRASE)
        Load(gateway.address, trade.ledger, trade.messages, connections=2, count=4).start().wait()
        gateway.run("message", "wait", queued, "--timeout", "60")
        if operations(gateway, "ready") != (200, "ready"):
            faults.append(f"/ready says {operations(gateway, 'ready')} of an open vault")
        trade.settle()
        records = [record for record in AuditLog(gateway.home / "audit.log").records if record["operation"] == "unseal"]
        if [record["result"] for record in records] != ["denied", "success"]:
            faults.append(f"the audit log has of opening the vault: {records}")
        return f"{len(server.arrivals)} message sent after it was opened", faults + server.check() + trade.check()


def wrong_passphrases(gateway):
    """One is refused, the next one is not even looked at, and it stays sealed."""
    codes = [gateway.exit_code("vault", "unseal", "--passphrase-file", gateway.secret_file("wrong", "correct horse battery stable")),
             gateway.exit_code("vault", "unseal", "--passphrase-file", gateway.passphrase_file)]
    if codes != [REFUSED, UNAVAILABLE]:
        yield f"a wrong passphrase and one at once after it ended with {codes}"
    if operations(gateway, "ready")[1] != "sealed":
        yield "a wrong passphrase opened the vault"


def operations(gateway, path):
    """The status and its word, a second later than before: /ready keeps its answer so long."""
    time.sleep(1.1 if path == "ready" else 0)
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port_of("operations"), timeout=60)
    connection.request("GET", "/" + path)
    response = connection.getresponse()
    return response.status, json.loads(response.read())["status"]


# ---- Blobs


def changed_blobs(bench):
    """Octets of what is sealed are changed one by one, and blobs exchanged; `signet` is then to refuse what it is asked for."""
    gateway = bench.trade(messages=1, directory=bench.directory / "blobs").gateway
    for value in ("first", "second"):
        gateway.run("vault", "secret", "set", "s", "--value-file", gateway.secret_file("value", value))
    gateway.run("vault", "key", "backup", "gateway", "--file", gateway.directory / "gateway.backup")
    older, newer = rows(gateway, "SELECT sealed FROM secret_versions ORDER BY sequence")
    [key] = rows(gateway, "SELECT sealed FROM key_versions")
    gateway.run("vault", "policy", "set", "--principal", "operator", "--secret-permissions", "all")
    faults = []
    tries = [("secret", "secret_versions", newer, ("vault", "secret", "backup", "s")),
             ("key", "key_versions", key, ("vault", "key", "backup", "gateway"))]
    flips = 0
    for what, table, blob, command in tries:
        places = range(len(blob)) if bench.full else bench.dice.sample(range(len(blob)), 6)
        for place in places:
            changed = bytearray(blob)
            changed[place] ^= 1 << bench.dice.randrange(8)
            flips += 1
            if opens(gateway, table, bytes(changed), command, gateway.directory / f"{what}-{place}"):
                faults.append(f"a {what} was taken though its octet {place} was changed")
        if not opens(gateway, table, blob, command, gateway.directory / f"{what}-as-it-was"):
            faults.append(f"a {what} was refused though nothing was changed")
    if opens(gateway, "secret_versions", older, tries[0][3], gateway.directory / "rolled-back"):
        faults.append("an older version's blob was taken in the newer one's place")
    return f"{flips} octets changed", faults


def rows(gateway, query):
    with sqlite3.connect(gateway.home / "store" / "signet.db") as database:
        return [row[0] for row in database.execute(query)]


def opens(gateway, table, blob, command, file):
    """Whether the newest row of a table opens with this blob in it."""
    with sqlite3.connect(gateway.home / "store" / "signet.db") as database:
        database.execute(f"UPDATE {table} SET sealed = ? WHERE sequence = (SELECT max(sequence) FROM {table})", (blob,))
    return gateway.exit_code(*command, "--file", file) == 0


# ---- The master key


def master_keys(bench):
    """It is changed again and again, by a command that dies at each instant that has a name, to another kind each time; and by a
    gateway under load."""
    trade = bench.trade(messages=4, directory=bench.directory / "master", passphrase=PASSPHRASE)
    gateway, faults, deaths = trade.gateway, [], 0
    backup = gateway.directory / "old.backup"
    gateway.run("vault", "key", "backup", "gateway", "--file", backup)
    # Each of them on the way to a passphrase and on the way to a key file.
    instants = [name for name in (*(name for name in failpoints.names() if name.startswith("master.")), "audit.sync", "commit", "committed")
                for _ in range(2)]
    for number, instant in enumerate(instants):
        passphrase = f"passphrase number {number}"
        to = (("--key-file",) if number % 2 else ("--passphrase-file", gateway.secret_file("next", passphrase)))
        died = gateway.exit_code("vault", "rotate-master-key", *to, environment={"SIGNET_FAIL_AT": instant}) < 0
        deaths += died
        if not died:
            faults.append(f"nothing passed {instant}")
        if not opens_after(gateway, None if number % 2 else passphrase):
            faults.append(f"the home does not open after a death at {instant}")
            break
    gateway.start()
    load = Load(gateway.address, trade.ledger, trade.messages, connections=4, rate=20, seed=bench.seed).start()
    for number in range(bench.share(2, 10)):
        gateway.run("vault", "rotate-master-key", "--key-file")
    gateway.run("vault", "rotate-master-key", "--passphrase-file", gateway.secret_file("next", NEW_PASSPHRASE))
    gateway.use_passphrase(NEW_PASSPHRASE)
    load.stop()
    refused = [status for _, _, status in load.answers if status != 200]
    if refused:
        faults.append(f"{len(refused)} messages were answered by {set(refused)} while the master key was changed")
    trade.settle()
    gateway.run("vault", "key", "restore", "--vault", "other", backup)
    return f"{deaths} deaths of {len(instants)} changes of the master key, {len(load.answers)} messages meanwhile", faults + trade.check()


def opens_after(gateway, passphrase):
    """Whether the home opens with the passphrase from before or with this one, none for a key file. It is used from then on."""
    for candidate in (gateway.passphrase, passphrase):
        gateway.use_passphrase(candidate)
        if gateway.exit_code("vault", "key", "backup", "gateway", "--file", gateway.directory / f"{time.monotonic_ns()}.backup") == 0:
            return True
    return False


# ---- Two operations


def two_operations(bench):
    gateway = bench.trade(messages=1, directory=bench.directory / "twice").gateway
    faults = []
    gateway.run("vault", "key", "create", "x", "--kind", "P-256")
    if gateway.exit_code("vault", "key", "purge", "x") == 0:
        faults.append("a key was purged that nobody had deleted")
    gateway.run("vault", "key", "delete", "x")
    gateway.run("vault", "key", "recover", "x")
    gateway.run("vault", "key", "delete", "x")
    gateway.run("vault", "key", "purge", "x")
    gateway.run("vault", "key", "create", "y", "--kind", "P-256")
    gateway.run("vault", "settings", "set", "--purge-protection")
    gateway.run("vault", "key", "delete", "y")
    if gateway.exit_code("vault", "key", "purge", "y") == 0:
        faults.append("a key was purged though the vault has purge protection")
    try:
        gateway.run("vault", "key", "recover", "y")
    except GatewayFailed as failed:
        faults.append(f"a deleted key was gone: {failed}")
    return "2 operations to purge", faults
