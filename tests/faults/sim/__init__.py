"""The sim partner: an AS2 client and server of its own, for checks of a gateway under faults.

Nothing here is the gateway's code. Python's standard library speaks HTTP and MIME, the `openssl` command does the cryptography,
and a ledger knows what was sent, what was answered and what the business got.
"""
