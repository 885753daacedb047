#!/usr/bin/env python3
"""Azure's own clients for JavaScript, unmodified, against a gateway's REST services: a scenario for each of their functions.

Usage: azure_sdk_test.py --signet BINARY. SIGNET_AZURE_SDK_DIRECTORY is where install_npm.sh has put them; SIGNET_TEST_FULL=1 runs every
size and algorithm.
"""

import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import cli_test  # noqa: E402
from api_test import ApiTest  # noqa: E402
from cli_test import DONE  # noqa: E402
from jwt_api_test import JwtTest  # noqa: E402

DIRECTORY = pathlib.Path(os.environ.get("SIGNET_AZURE_SDK_DIRECTORY", ""))
FULL = os.environ.get("SIGNET_TEST_FULL", "0") != "0"


def node(*arguments, **environment):
    """The lines that the program prints."""
    done = subprocess.run(["node", DIRECTORY / "run.js", *arguments, *(["--full"] if FULL else [])], capture_output=True, text=True, timeout=800,
                          env={**os.environ, **environment})
    if (done.returncode, done.stderr) != (0, ""):
        raise AssertionError(f"ended with {done.returncode}: {done.stderr}")
    return done.stdout.splitlines()


class Clients(ApiTest):
    """A gateway, and what the scenarios need to know of it."""

    HOST = "vault.example"

    def setUp(self):
        super().setUp()
        self.home.run("principal", "add", "manager", "--roles", "Reader,Writer,Administrator", expect=DONE)
        self.home.run("vault", "policy", "set", "--principal", "manager", "--key-permissions", "list", expect=DONE)
        self.home.run("principal", "add", "reader", "--roles", "Reader", expect=DONE)
        manager = self.token_of("manager")
        _, subscriptions, _ = self.management.call("GET", "/subscriptions?api-version=2022-12-01", token=manager)
        subscription, = subscriptions["value"]
        self.environment = {
            "NODE_EXTRA_CA_CERTS": str(self.directory / "api.cer"), "ARM": self.management.origin, "MANAGER_TOKEN": manager,
            "READER_TOKEN": self.token_of("reader"), "OID": self.home.json("principal", "show", "app")["objectId"],
            "SUBSCRIPTION": subscription["subscriptionId"], "TENANT": subscription["tenantId"]}

    def run_scenarios(self, url, *names, token=None):
        lines = node(url, token or self.token, *names, **self.environment)
        return {outcome["name"]: outcome for outcome in map(json.loads, lines)}


class AzureSdk(Clients):
    """One gateway and one node process for all of them."""

    OPTIONS = ["--api-calls-per-second", "1000"]

    def test_every_function_works(self):
        outcomes = self.run_scenarios(self.hosted.origin)
        self.assertEqual(list(outcomes), node("--names", **self.environment))  # one that never ran is missed
        self.assertGreaterEqual(len(outcomes), 150)
        for name, outcome in outcomes.items():
            with self.subTest(name):
                self.assertTrue(outcome["passed"], outcome.get("reason"))

    def test_a_listener_of_its_own_is_a_vault_too(self):
        outcomes = self.run_scenarios(f"https://127.0.0.1:{self.vault.port}", "keys.signData", "secrets.getSecret")
        self.assertEqual([outcome["passed"] for outcome in outcomes.values()], [True, True], outcomes)


class TokensOfAnIssuer(Clients, JwtTest):
    def test_a_client_asks_the_issuer_that_the_challenge_names(self):
        outcomes = self.run_scenarios(self.hosted.origin, "keys.signData", "secrets.getSecret", "vaults.aReaderMayOnlyLook", token=self.issuer.sign())
        self.assertEqual([outcome["passed"] for outcome in outcomes.values()], [True] * 3, outcomes)


if __name__ == "__main__":
    cli_test.main(__doc__)
