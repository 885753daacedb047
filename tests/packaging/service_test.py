#!/usr/bin/env python3
"""packaging/signet.service: systemd understands it, it starts what it should, and its hardening stays.

Usage: service_test.py --signet BINARY
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"
SIGNET = None

# Tenths of systemd's points for what a service could do to its machine; 0 is nothing, 100 everything.
MOST_EXPOSURE = 20


class Service(unittest.TestCase):
    def setUp(self):
        self.text = (PACKAGING / "signet.service").read_text()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="signet-packaging."))
        self.addCleanup(shutil.rmtree, self.directory)

    def values(self, key):
        return re.findall(rf"^{key}=(.*)$", self.text, re.M)

    def value(self, key):
        self.assertEqual(len(self.values(key)), 1, key)
        return self.values(key)[0]

    def analyze(self, *arguments, text=None):
        """systemd-analyze's verdict on the unit, with the binary under test where the installed one would be."""
        unit = self.directory / "signet.service"
        unit.write_text((text or self.text).replace("/usr/bin/signet", SIGNET))
        return subprocess.run(["systemd-analyze", *arguments, str(unit)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def test_is_understood_by_systemd(self):
        done = self.analyze("verify", "--man=no")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("NoSuchKey", self.analyze("verify", "--man=no", text=self.text.replace("UMask=", "NoSuchKey=")).stdout)

    def test_exposes_little(self):
        threshold = f"--threshold={MOST_EXPOSURE}"
        done = self.analyze("security", "--offline=true", threshold)
        self.assertEqual(done.returncode, 0, done.stdout)
        soft = re.sub(r"^(Protect|Private|Restrict|SystemCall|Capability)\w+=.*\n", "", self.text, flags=re.M)
        self.assertNotEqual(self.analyze("security", "--offline=true", threshold, text=soft).returncode, 0)

    def test_has_every_lock(self):
        for key, value in [("User", "signet"), ("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("ProtectHome", "yes"),
                           ("PrivateTmp", "yes"), ("MemoryDenyWriteExecute", "yes"), ("LimitCORE", "0"), ("CapabilityBoundingSet", ""),
                           ("StateDirectoryMode", "0700"), ("UMask", "0077"), ("Restart", "on-failure")]:
            self.assertEqual(self.value(key), value, key)
        self.assertEqual(self.values("SystemCallFilter"), ["@system-service", "~@privileged @setuid @keyring"])

    def test_starts_reloads_and_stops_the_gateway(self):
        self.assertEqual(self.value("Type"), "notify")
        self.assertEqual(self.value("ExecStart"), "/usr/bin/signet serve")
        self.assertEqual(self.value("ExecReload"), "/bin/kill -HUP $MAINPID")
        self.assertGreater(int(self.value("TimeoutStopSec")), 10, "what `signet serve` promises")
        # Settings do not mend themselves; a disk that was full (exit code 8) does, and nobody has to start the gateway then.
        self.assertEqual(self.values("RestartPreventExitStatus"), ["2 3 4"])
        self.assertEqual(self.value("StartLimitIntervalSec"), "0")
        self.assertEqual(self.values("Environment"), ["SIGNET_HOME=/var/lib/" + self.value("StateDirectory")])
        help_text = subprocess.run([SIGNET, "serve", "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertIn("SIGTERM ends the gateway in less than ten seconds", help_text)

    def test_has_a_user_whom_sysusers_makes(self):
        lines = [line for line in (PACKAGING / "signet.sysusers").read_text().splitlines() if not line.startswith("#")]
        self.assertEqual(len(lines), 1)
        self.assertRegex(lines[0], rf'^u {self.value("User")} - ".+" /var/lib/{self.value("StateDirectory")}$')


def main():
    global SIGNET
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signet", required=True, help="the signet binary")
    options, rest = parser.parse_known_args()
    SIGNET = str(pathlib.Path(options.signet).resolve())
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
