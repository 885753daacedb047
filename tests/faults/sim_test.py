#!/usr/bin/env python3
"""The sim partner against itself: does it agree with itself where all is well, and does the ledger find each thing that is not?"""

import argparse
import hashlib
import json
import pathlib
import shutil
import sqlite3
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from audit import AuditLog, evidence_faults  # noqa: E402: from beside this file
from sim.client import Load, post_once  # noqa: E402
from sim.flood import Flood  # noqa: E402
from sim.inbox import Inbox  # noqa: E402
from sim.ledger import BackEnd, Ledger  # noqa: E402
from sim.messages import Composer, Mdn, make_mdn, new_message_id  # noqa: E402
from sim.openssl import Identity, OpensslFailed  # noqa: E402
from sim.server import Behaviour, PartnerServer  # noqa: E402
from sim.wire import Headers, Message  # noqa: E402


class SimTest(unittest.TestCase):
    crowd = None  # the program of a flood

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="signet-sim."))
        cls.partner = Identity.create(cls.directory, "partner")
        cls.gateway = Identity.create(cls.directory, "gateway")
        cls.prepared, cls.other = Composer(cls.partner, cls.gateway.certificate).prepare(2, size=2000)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory, ignore_errors=True)

    def serve(self, behaviour):
        """A partner's server in the gateway's place: it opens with the gateway's key what the partner signed."""
        return PartnerServer(self.gateway, self.partner.certificate, behaviour)


class Exchange(SimTest):
    def test_a_message_is_opened_and_its_receipt_has_its_mic(self):
        with self.serve(Behaviour.GOOD) as server:
            ledger = Ledger()
            Load(server.address, ledger, [self.prepared], count=3, connections=2).start().wait()
        self.assertEqual(len(ledger.all()), 3)
        self.assertEqual({received.payload for received in server.opened.values()}, {self.prepared.payload})
        for entry in ledger.all():
            mdn = Mdn(entry.answers[0].headers, entry.answers[0].body)
            mdn.verify(self.gateway.certificate)
            self.assertEqual((mdn.disposition, mdn.mic, mdn.original_message_id),
                             ("processed", self.prepared.mic, entry.message_id))
            with self.assertRaises(OpensslFailed):
                mdn.verify(self.partner.certificate)

    def test_what_gets_no_answer_is_sent_again_with_the_same_octets(self):
        behaviour = lambda _, before: [Behaviour.RESET, Behaviour.LATER, Behaviour.ERROR, Behaviour.GOOD][min(before, 3)]
        with self.serve(behaviour) as server:
            ledger = Ledger()
            load = Load(server.address, ledger, [self.prepared], count=2, pause=0.01).start().wait()
        self.assertEqual(load.lost, 2)
        self.assertEqual([entry.attempts for entry in ledger.all()], [4, 4])
        self.assertEqual(server.check(), [])

    def test_a_flood_posts_each_message_until_it_is_taken(self):
        behaviour = lambda _, before: [Behaviour.RESET, Behaviour.LATER, Behaviour.GOOD][min(before, 2)]
        with self.serve(behaviour) as server:
            ledger = Ledger()
            flood = Flood(self.crowd, server.address, ledger, [self.prepared, self.other], connections=3).start()
            while len(server.arrivals) < 3 * 2 + 1:
                time.sleep(0.01)
            flood.stop()
        count = len(ledger.all())
        self.assertGreaterEqual(count, 3)
        self.assertEqual({entry.attempts for entry in ledger.all()}, {3})
        self.assertEqual(sorted(status for _, _, status in flood.answers), [200] * count + [503] * count)
        self.assertEqual(flood.lost, count)
        for entry in ledger.all():
            mdn = Mdn(entry.answers[0].headers, entry.answers[0].body)
            self.assertEqual((mdn.mic, mdn.original_message_id), (entry.prepared.mic, entry.message_id))
        self.assertEqual(server.check(), [])

    def test_a_message_that_is_given_up_is_not_sent_again(self):
        with self.serve(Behaviour.RESET) as server:
            ledger = Ledger()
            Load(server.address, ledger, [self.prepared], count=2, gives_up=1.0).start().wait()
        self.assertTrue(all(entry.given_up and not entry.answers for entry in ledger.all()))
        self.assertEqual(len(server.arrivals), 2)

    def test_a_receipt_that_is_asked_for_elsewhere_is_posted_there(self):
        with self.serve(Behaviour.NO_RECEIPT) as inbox, self.serve(Behaviour.GOOD) as server:
            request = self.prepared.request("<async@partner.test>", also=[("Receipt-Delivery-Option", inbox.url)])
            self.assertEqual(post_once(server.address, request).status, 202)
            server.wait_async(1)
            self.assertEqual(server.async_answers, [("<async@partner.test>", 200)])
            mdn = Mdn(inbox.arrivals[0].headers, inbox.arrivals[0].body)
        self.assertEqual(mdn.original_message_id, "<async@partner.test>")

    def test_a_receipt_that_is_posted_belongs_to_its_message_and_one_that_is_not_is_missed(self):
        ledger = Ledger()
        with Inbox(ledger) as inbox, self.serve(Behaviour.GOOD) as server:
            Load(server.address, ledger, [self.prepared], count=1, also=[("Receipt-Delivery-Option", inbox.url)]).start().wait()
            self.assertEqual(inbox.settle(patience=30.0), [])
            self.assertEqual([len(entry.receipts) for entry in ledger.all()], [1])
            never = ledger.enter("<never@partner.test>", self.prepared)
            never.answers.append(Message("HTTP/1.1 204 No Content", Headers()))
            self.assertEqual(inbox.settle(patience=0.0), ["<never@partner.test>: LOST: no receipt was posted"])
            post_once(server.address, self.prepared.request("<stray@partner.test>", also=[("Receipt-Delivery-Option", inbox.url)]))
            server.wait_async(2)
        self.assertEqual(inbox.faults, ["a receipt for no message of ours was posted"])

    def test_other_octets_under_the_same_message_id_are_a_fault(self):
        with self.serve(Behaviour.GOOD) as server:
            for prepared in (self.prepared, self.other):
                post_once(server.address, prepared.request("<one@partner.test>"))
        self.assertEqual(server.check(), ["<one@partner.test>: sent again with other octets"])


class LedgerCheck(SimTest):
    def setUp(self):
        self.ledger = Ledger()
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        self.back_end = BackEnd(self.folder)
        self.entry = self.ledger.enter(new_message_id(), self.prepared)

    def answer(self, signer=None, **difference):
        what = {"message_id": self.entry.message_id, "mic": self.prepared.mic, "as2_from": "GATEWAY", "as2_to": "PARTNER",
                "signer": signer or self.gateway, **difference}
        headers, body = make_mdn(**what)
        self.entry.answers.append(Message("HTTP/1.1 200 OK", Headers(headers), body))

    def deliver(self, name="1-order", payload=None, message_id=None):
        (self.folder / name).write_bytes(payload or self.prepared.payload)
        facts = {"id": "f" * 32, "messageId": message_id or self.entry.message_id}
        (self.folder / (name + ".json")).write_text(json.dumps(facts))
        self.back_end.collect()

    def faults(self, **sources):
        return [fault.removeprefix(self.entry.message_id + ": ")
                for fault in self.ledger.check(self.back_end, self.gateway.certificate, **sources)]

    def assert_one_fault(self, text, **sources):
        faults = self.faults(**sources)
        self.assertEqual(len(faults), 1, faults)
        self.assertIn(text, faults[0])

    def test_an_exchange_that_is_as_it_should_be_has_no_fault(self):
        self.answer()
        self.deliver()
        self.assertEqual(self.faults(store={self.entry.message_id}, audited={"f" * 32}), [])

    def test_no_answer_permits_a_delivery_and_none(self):
        self.assertEqual(self.faults(), [])
        self.deliver()
        self.assertEqual(self.faults(), [])

    def test_an_error_and_no_delivery_is_in_order(self):
        self.answer(disposition="processed/error: authentication-failed")
        self.assertEqual(self.faults(), [])

    def test_a_receipt_without_a_delivery_is_a_loss(self):
        self.answer()
        self.assert_one_fault("LOST")

    def test_two_deliveries_are_one_too_many(self):
        self.answer()
        self.deliver()
        self.deliver(name="2-order")
        self.assert_one_fault("DOUBLED")

    def test_a_delivery_that_the_receipt_denies(self):
        self.answer(disposition="processed/error: decryption-failed")
        self.deliver()
        self.assert_one_fault("delivered, and the receipt says processed/error: decryption-failed")

    def test_receipts_that_contradict_each_other(self):
        self.answer()
        self.answer(disposition="processed/error: decryption-failed")
        self.deliver()
        self.assert_one_fault("contradict")

    def test_another_mic(self):
        self.answer(mic=self.other.mic)
        self.deliver()
        self.assert_one_fault("another MIC")

    def test_a_receipt_for_another_message(self):
        self.answer(message_id="<other@partner.test>")
        self.deliver()
        self.assert_one_fault("for another message")

    def test_a_signature_of_somebody_else(self):
        self.answer(signer=self.partner)
        self.deliver()
        self.assert_one_fault("signature does not hold")

    def test_other_octets(self):
        self.answer()
        self.deliver(payload=self.other.payload)
        self.assert_one_fault("other octets")

    def test_a_delivery_of_what_nobody_sent(self):
        self.deliver(message_id="<unknown@partner.test>")
        self.assert_one_fault("never sent")

    def test_a_delivery_that_store_or_audit_log_do_not_know(self):
        self.answer()
        self.deliver()
        self.assert_one_fault("not in the store", store=set(), audited={"f" * 32})
        self.assert_one_fault("no use of the key", store={self.entry.message_id}, audited=set())

    def test_a_payload_without_its_sidecar(self):
        (self.folder / "1-order").write_bytes(b"x")
        self.back_end.collect()
        self.assert_one_fault("no readable sidecar")


class ChainTest(SimTest):
    def write(self, lines):
        path = self.directory / "audit.log"
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return AuditLog(path)

    def chain(self, count):
        lines, previous = [], "0" * 64
        for number in range(count):
            lines.append(json.dumps({"operation": "sign", "result": "success", "message": str(number),
                                     "previous": previous}).encode())
            previous = hashlib.sha256(lines[-1]).hexdigest()
        return lines


class Audit(ChainTest):
    def test_a_whole_chain_is_read(self):
        log = self.write(self.chain(4))
        self.assertEqual((log.faults, log.messages("sign")), ([], {"0", "1", "2", "3"}))

    def test_an_edit_a_cut_and_a_swap_break_it(self):
        lines = self.chain(5)
        for broken in (lines[:1] + [lines[1].replace(b"sign", b"sing")] + lines[2:], lines[:2] + lines[3:],
                       [lines[0], lines[2], lines[1], *lines[3:]], lines[:2] + [b"{"]):
            self.assertEqual(len(self.write(broken).faults), 1)


class Evidence(ChainTest):
    def setUp(self):
        super().setUp()
        lines = self.chain(2)
        self.audit = self.write(lines)
        self.records = [("a", "accepted"), ("b", "queued"), ("a", "delivered"), ("b", "confirmed"), ("b", "late-receipt")]
        self.states = {"a": "delivered", "b": "confirmed"}
        self.named = hashlib.sha256(lines[-1]).hexdigest()

    def faults(self, change=lambda rows: rows):
        rows, previous = [], "0" * 64
        for number, (message, event) in enumerate(self.records, 1):
            line = json.dumps({"message": message, "event": event, "audit": self.named, "previous": previous})
            previous = hashlib.sha256(line.encode()).hexdigest()
            rows.append((number, ord(message), line))
        path = self.directory / "evidence.db"
        path.unlink(missing_ok=True)
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE messages (sequence, id, agreement, state)")
            database.execute("CREATE TABLE evidence (number, message, line)")
            database.executemany("INSERT INTO messages VALUES (?, ?, 'trade', ?)",
                                 [(ord(message), message, state) for message, state in self.states.items()])
            database.executemany("INSERT INTO evidence VALUES (?, ?, ?)", change(rows))
        return evidence_faults(path, self.audit)

    def test_a_whole_chain_has_no_fault(self):
        self.assertEqual(self.faults(), [])

    def test_an_edit_a_cut_and_another_message_break_it(self):
        for change in (lambda rows: [(n, m, line.replace("queued", "QUEUED")) for n, m, line in rows],
                       lambda rows: rows[:1] + rows[2:],
                       lambda rows: [rows[0], (2, ord("a"), rows[1][2]), *rows[2:]]):
            self.assertEqual(len(self.faults(change)), 1)

    def test_a_line_of_the_audit_log_that_is_not_there_is_missed(self):
        self.named = "f" * 64
        self.assertEqual(len(self.faults()), len(self.records))

    def test_a_message_has_the_state_of_its_newest_record(self):
        self.states["a"] = "accepted"
        self.assertEqual(len(self.faults()), 1)
        self.states = {"a": "delivered", "b": "awaiting-receipt"}
        self.assertEqual(self.faults(), [])
        self.assertEqual(len(self.faults(lambda rows: rows[:2])), 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crowd", type=pathlib.Path, required=True, help="the program of a flood")
    options, rest = parser.parse_known_args()
    SimTest.crowd = options.crowd.resolve()
    unittest.main(argv=[sys.argv[0], *rest])
