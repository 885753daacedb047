#!/usr/bin/env python3
"""Azure's own clients for JavaScript, unmodified, against a gateway's REST services: a scenario for each of their functions.

Usage: azure_sdk_test.py --signet BINARY. SIGNET_AZURE_SDK_DIRECTORY is where azure-sdk/install.sh has put them; SIGNET_TEST_FULL=1 runs every
size and algorithm.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import cli_test  # noqa: E402
from api_test import ApiTest  # noqa: E402

DIRECTORY = pathlib.Path(os.environ.get("SIGNET_AZURE_SDK_DIRECTORY", ""))
SOURCES = pathlib.Path(__file__).resolve().parent / "azure-sdk"
FULL = os.environ.get("SIGNET_TEST_FULL", "0") != "0"


def scenarios():
    """The names, as the sources have them, so that one that never ran is missed."""
    for file in ["certificates.js", "keys.js", "secrets.js"]:
        listed = re.search(r"export const scenarios = \[(.*?)\]", (SOURCES / file).read_text(), re.S).group(1)
        yield from (f"{file.removesuffix('.js')}.{name}" for name in re.findall(r"\w+", listed))


class AzureSdk(ApiTest):
    """One gateway and one node process for all of them."""

    HOST = "vault.example"

    def run_scenarios(self, url, *names):
        command = ["node", DIRECTORY / "run.js", url, self.token, *(["--full"] if FULL else []), *names]
        done = subprocess.run(command, capture_output=True, text=True, timeout=800,
                              env={**os.environ, "NODE_EXTRA_CA_CERTS": str(self.directory / "api.cer")})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return {outcome["name"]: outcome for outcome in map(json.loads, done.stdout.splitlines())}

    def test_every_function_works(self):
        outcomes = self.run_scenarios(self.hosted.origin)
        self.assertEqual(sorted(outcomes), sorted(scenarios()))
        for name, outcome in outcomes.items():
            with self.subTest(name):
                self.assertTrue(outcome["passed"], outcome.get("reason"))

    def test_a_listener_of_its_own_is_a_vault_too(self):
        outcomes = self.run_scenarios(f"https://127.0.0.1:{self.vault.port}", "keys.signData", "secrets.getSecret")
        self.assertEqual([outcome["passed"] for outcome in outcomes.values()], [True, True], outcomes)


if __name__ == "__main__":
    cli_test.main(__doc__)
