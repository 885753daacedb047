#!/usr/bin/env python3
"""samples/azure-sdk, word for word: ./start, each of its programs, ./stop.

Usage: azure_samples_test.py --signet BINARY. SIGNET_AZURE_SDK_DIRECTORY is where install_npm.sh has put the packages.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
import cli_test
from api_test import Service

SAMPLES = cli_test.SOURCE / "samples" / "azure-sdk"
DIRECTORY = pathlib.Path(os.environ.get("SIGNET_AZURE_SDK_DIRECTORY", ""))
NAMES = ["BASE", "ARM", "TOKEN", "CA", "LOWPRIV_TOKEN", "LOWPRIV_OID", "SUBSCRIPTION", "RG", "TENANT"]


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=180, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


class Samples(unittest.TestCase):
    def setUp(self):
        self.addCleanup(run, SAMPLES / "stop")
        lines = run(SAMPLES / "start", "--signet", cli_test.SIGNET).splitlines()
        self.assertEqual([line.split("=", 1)[0] for line in lines], NAMES)
        self.given = dict(line.split("=", 1) for line in lines)
        # Packages are found from where a program lies.
        self.programs = DIRECTORY / "samples"
        shutil.copytree(SAMPLES, self.programs, dirs_exist_ok=True)

    def node(self, program):
        return run("node", self.programs / program, env={**os.environ, **self.given, "NODE_EXTRA_CA_CERTS": self.given["CA"]})

    def test_each_program_does_what_it_says(self):
        self.assertIn("purged on", self.node("secrets.js"))
        self.assertIn("the signature holds: true", self.node("keys.js"))
        self.assertIn("acme-as2 is valid until", self.node("certificates.js"))
        self.assertIn("warehouse answers at", self.node("vaults.js"))
        self.assertIn("partner Globex", self.node("account.js"))

    def test_who_may_do_nothing_gets_nothing(self):
        for name in ["BASE", "ARM"]:
            port = int(self.given[name].rsplit(":", 1)[1])
            service = Service(port, "localhost", self.given["CA"], self.given["LOWPRIV_TOKEN"])
            target = "/secrets" if name == "BASE" else f"/subscriptions/{self.given['SUBSCRIPTION']}/resources"
            self.assertEqual(service.get(target)[0], 403)

    def test_a_second_start_takes_the_place_of_the_first(self):
        again = dict(line.split("=", 1) for line in run(SAMPLES / "start", "--signet", cli_test.SIGNET).splitlines())
        self.assertNotEqual(again["TENANT"], self.given["TENANT"])
        run(SAMPLES / "stop")
        self.assertFalse(pathlib.Path(again["CA"]).exists())


if __name__ == "__main__":
    cli_test.main(__doc__)
