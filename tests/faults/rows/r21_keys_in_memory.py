"""R21: no core has a key in it, and a gateway whose vault is sealed has none in its memory."""

import base64
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess

import known_keys
from gateway import GatewayFailed
from known_keys import KnownKey
from row import Outcome, Skip
from sim.client import Load, post_once

PASSPHRASE = "correct horse battery staple"


def measure(bench):
    if os.geteuid() != 0:
        raise Skip("only root may read another process's memory")
    keys = [KnownKey(bench.directory, f"known-{number}", "RSA" if number % 2 == 0 else "EC") for number in range(bench.share(4, 20))]
    trade = bench.trade(messages=4, own_key=(keys[0].file, keys[0].certificate), passphrase=PASSPHRASE)
    gateway = trade.gateway
    for key in keys[1:]:
        gateway.run("vault", "key", "import", key.name, key.file)
    token = caller(gateway)
    gateway.start("--listen-vault", "signet=127.0.0.1:0", "--api-certificate", "gateway")
    faults = limit_faults(gateway.pid)
    for key in keys:
        sign(gateway, token, key)
    raw = [spelling for key in keys for spelling in known_keys.raw_spellings(key)]
    Load(gateway.address, trade.ledger, trade.messages, connections=4, count=bench.share(8, 200)).start().wait()
    _, open_hits = known_keys.search_memory(gateway.pid, raw)
    unseen = [key.name for key in keys if not any(f" {key.name}'s" in hit for hit in open_hits)]
    if unseen:
        faults.append(f"{unseen} were not found though the vault was open: would this row notice anything?")
    gateway.run("vault", "seal")
    sealed_size, hits = known_keys.search_memory(gateway.pid, raw + text_in_memory(keys))
    faults += [f"after seal: {hit}" for hit in hits]
    answer = post_once(gateway.address, trade.messages[0].request("<while-sealed@partner.test>"))
    if answer.status != 503:
        faults.append(f"a sealed gateway answered a message by {answer.status}")
    gateway.unseal(PASSPHRASE)
    Load(gateway.address, trade.ledger, trade.messages, connections=4, count=4).start().wait()
    trade.settle()
    faults += trade.check() + core_faults(bench, gateway)
    return Outcome(f"{len(keys)} keys, {len(open_hits)} places while open, {len(hits)} of {sealed_size >> 20} MiB after seal",
                   "no core, 0 places after seal", faults)


def caller(gateway):
    """Who may sign over REST, so that the gateway opens every key. @returns his token"""
    gateway.run("principal", "add", "caller")
    gateway.run("vault", "policy", "set", "--principal", "caller", "--key-permissions", "sign")
    return gateway.run("token", "create", "caller")["token"]


def sign(gateway, token, key):
    """@raises GatewayFailed"""
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("localhost", gateway.port_of("vault:signet"), context=unverified, timeout=60)
    name = "gateway" if key.name == "known-0" else key.name
    body = json.dumps({"alg": "RS256" if "p" in key.numbers else "ES256", "value": base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()})
    connection.request("POST", f"/keys/{name}//sign?api-version=7.5", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise GatewayFailed(f"signing with {name} was answered {answer.status}: {text}")


def text_in_memory(keys):
    return [spelling for key in keys for spelling in known_keys.text_spellings(key)][:200]


def limit_faults(pid):
    return [f"a core may be written: {line}" for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
            if line.startswith("Max core file size") and line.split()[4:6] != ["0", "0"]]


def core_faults(bench, gateway):
    """Whether a death leaves a core though somebody has lifted the limit: that the process is not dumpable shows in nothing else."""
    if not leaves_core(subprocess.Popen(["sleep", "60"], cwd=bench.directory).pid):
        return []  # nothing leaves one on this machine
    gateway.start()
    left = leaves_core(gateway.pid)
    gateway.process = None
    return ["it left a core when the limit was lifted"] if left else []


def leaves_core(pid):
    """Ends it. Where even root may not lift its limit (a container), that stands, and is what is measured."""
    subprocess.run(["prlimit", f"--pid={pid}", "--core=unlimited"], stderr=subprocess.DEVNULL)
    os.kill(pid, signal.SIGQUIT)
    _, status = os.waitpid(pid, 0)
    return os.WCOREDUMP(status)
