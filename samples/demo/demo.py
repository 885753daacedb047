#!/usr/bin/env python3
"""Two companies, Acme and Globex, each with a gateway of its own, exchange EDI documents over AS2 on this machine.

Everything is made from nothing: the homes, the keys inside the vaults, the certificates, the agreements. Run it by ./dev demo.
"""

import argparse
import filecmp
import json
import os
import pathlib
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
EDI = HERE.parent / "edi"
START_TIMEOUT = 30.0  # seconds


class Company:
    """One side of the exchange: a home, its gateway, and what it calls things."""

    def __init__(self, signet, base, name, certificate, content_type):
        self.signet = str(signet)
        self.name = name
        self.certificate = certificate
        self.content_type = content_type
        self.directory = base / name.lower()
        self.home = self.directory / "home"
        self.gateway = None
        self.port = 0

    def run(self, *arguments, check=True):
        """Runs the signet command in this company's home and returns what it printed as JSON."""
        command = [self.signet, "--home", str(self.home), "--output", "json", *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if check and done.returncode != 0:
            sys.exit(f"{' '.join(command)}\nended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def set_up(self):
        self.directory.mkdir(parents=True)
        self.run("init")
        self.run("vault", "key", "create", self.certificate, "--kind", "RSA-2048")
        self.run("certificate", "create", self.certificate, "--key", self.certificate, "--common-name",
                 f"{self.name} AS2", "--certificate-file", self.directory / f"{self.certificate}.cer")

    def start(self):
        """Starts the gateway on a free port; its log goes to a file."""
        ports = self.directory / "ports.json"
        log = open(self.directory / "gateway.log", "ab")
        self.gateway = subprocess.Popen(
            [self.signet, "--home", str(self.home), "serve", "--listen", "127.0.0.1:0", "--ports-file", str(ports)],
            stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_TIMEOUT
        while not ports.exists():
            if self.gateway.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{self.name}'s gateway did not start; see {log.name}")
            time.sleep(0.02)
        self.port = json.loads(ports.read_text())[0]["port"]

    def trade_with(self, partner):
        """Applies the agreement with the partner; the running gateway takes it up at once."""
        shutil.copy(partner.directory / f"{partner.certificate}.cer", self.directory)
        account = self.directory / "account.xml"
        account.write_text(string.Template((HERE / "account.xml.in").read_text()).substitute(
            host=self.name, guest=partner.name, host_certificate=self.certificate,
            guest_certificate=partner.certificate, agreement=self.agreement_with(partner),
            content_type=self.content_type, guest_url=f"http://127.0.0.1:{partner.port}/as2"))
        self.run("apply", account)

    def agreement_with(self, partner):
        return f"{self.name.lower()}-{partner.name.lower()}"

    def stop(self):
        if self.gateway and self.gateway.poll() is None:
            self.gateway.send_signal(signal.SIGTERM)
            self.gateway.wait(timeout=15)


def exchange(sender, receiver, document):
    """Sends one document, and checks that it was delivered octet for octet and its receipt proved it."""
    print(f"\n{sender.name} sends {document.name} to {receiver.name}")
    sent = sender.run("send", "--agreement", sender.agreement_with(receiver), document)
    received = receiver.run("message", "list", "--message-id", sent["messageId"])[0]
    deadline = time.monotonic() + START_TIMEOUT
    while received["state"] == "accepted" and time.monotonic() < deadline:
        time.sleep(0.02)
        received = receiver.run("message", "show", received["id"])
    print(f"  Message-ID    {sent['messageId']}")
    print(f"  as sent       {sent['security']}")
    print(f"  as received   {received['security']}")
    print(f"  receipt       {sent['disposition']}")
    print(f"  signed by     {sent['receiptSignerThumbprint'][:40]}...")
    print(f"  MIC sent      {sent['mic']}, {sent['micAlgorithm']}")
    print(f"  MIC received  {received['mic']}, {received['micAlgorithm']}")
    print(f"  delivered to  {received['deliveredTo']}")
    if sent["state"] != "confirmed" or received["state"] != "delivered" or sent["mic"] != received["mic"]:
        sys.exit(f"the exchange failed: {sent['reason'] or received['reason']}")
    if not filecmp.cmp(document, received["deliveredTo"], shallow=False):
        sys.exit("the delivered document is not the one that was sent")
    print("  the delivered document is the one that was sent, octet for octet")


def try_next(acme, globex):
    print(f"""
Both gateways are up. In another terminal, try:

  export PATH={pathlib.Path(acme.signet).resolve().parent}:$PATH

  signet --home {acme.home} send --agreement {acme.agreement_with(globex)} {EDI / 'edifact-orders.edi'}
  signet --home {globex.home} message list
  signet --home {acme.home} export                     # the agreement
  signet --home {acme.home} vault key list             # the key that never leaves
  cat {acme.home}/audit.log                            # who used it, for which message

  # Take the key away from Globex's gateway, and see what Acme is told, and what Globex's log says. With the key
  # back, what Acme keeps is sent again.
  signet --home {globex.home} vault policy set --principal gateway --key-permissions get,list
  signet --home {acme.home} send --agreement {acme.agreement_with(globex)} {EDI / 'edifact-orders.edi'}
  tail -1 {globex.directory}/gateway.log
  signet --home {globex.home} vault policy set --principal gateway --key-permissions decrypt,sign,get,list
  signet --home {acme.home} message list --limit 1

End with Ctrl-C.""", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signet", type=pathlib.Path, required=True, help="the signet binary")
    parser.add_argument("--once", action="store_true", help="end after the exchange")
    options = parser.parse_args()

    base = pathlib.Path(tempfile.mkdtemp(prefix="signet-demo."))
    signet = options.signet.resolve()
    acme = Company(signet, base, "Acme", "acme-2026", "application/EDI-X12")
    globex = Company(signet, base, "Globex", "globex-2026", "application/EDIFACT")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        print(f"making two companies in {base}")
        for company in (acme, globex):
            company.set_up()
            company.start()
            print(f"  {company.name}: http://127.0.0.1:{company.port}/as2, key and certificate made in its vault")
        acme.trade_with(globex)
        globex.trade_with(acme)
        exchange(acme, globex, EDI / "x12-850-purchase-order.x12")
        exchange(globex, acme, EDI / "edifact-desadv.edi")
        if not options.once:
            try_next(acme, globex)
            signal.pause()
    except KeyboardInterrupt:
        print()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # somebody who presses Ctrl-C twice gets the same clean end
        acme.stop()
        globex.stop()
        shutil.rmtree(base, ignore_errors=True)
    print("\ndone")


if __name__ == "__main__":
    os.umask(0o077)
    main()
