#!/usr/bin/env python3
"""Fails on an #include that runs against the arrows of the house plan, and where the plan's picture (docs/architecture.md) is not of the tree.

Usage: check_layers.py [--root DIR]. Prints each offending line as file:line: what is wrong and what is allowed.
"""

import argparse
import pathlib
import re
import sys

# What each folder may include besides itself. The longest prefix of a file's path decides.
ALLOWED = {
    "base": [],
    "certstore/x509": ["base"],
    "certstore/account": ["base", "certstore/x509"],
    "certstore/service": ["base", "certstore/x509", "certstore/account"],
    "certstore/vault": ["base", "certstore/x509"],
    "certstore/authority": ["base", "certstore/x509", "certstore/vault"],
    "agreements": ["base"],
    "as2/mime": ["base"],
    "as2/cms": ["base", "certstore/x509", "as2/fault.h"],
    "as2/cem": ["base", "certstore/x509", "as2/mime"],
    "as2": ["base", "certstore/x509", "as2"],
    # Inside the gateway, exchange sees of the endpoint only its public faces; the store implements what the others declare
    # and is seen by nobody but the wiring, which is cli.
    "gateway/exchange": ["base", "certstore/x509", "certstore/vault", "agreements", "as2", "gateway/endpoint/http_server.h", "gateway/endpoint/http_client.h",
                         "gateway/endpoint/http_message.h", "gateway/endpoint/post_fault.h", "gateway/endpoint/allowed_urls.h",
                         "gateway/endpoint/basic_credentials.h"],
    "gateway/endpoint": ["base", "certstore/x509", "as2/mime"],
    "gateway/issuance": [
        "base", "certstore/x509", "certstore/vault", "certstore/authority", "gateway/endpoint/http_client.h",
        "gateway/endpoint/http_server.h",
    ],
    "gateway/revocation": [
        "base", "certstore/x509", "agreements", "gateway/exchange/account_snapshot.h", "gateway/exchange/revocation_check.h",
        "gateway/exchange/lanes.h", "gateway/endpoint/http_client.h", "gateway/endpoint/allowed_urls.h",
    ],
    "gateway/remote_vault": ["base", "certstore/x509", "certstore/vault", "gateway/endpoint/http_client.h"],
    "gateway/delivery": [
        "base", "as2/mime", "gateway/exchange/message_store.h", "gateway/exchange/observer.h", "gateway/exchange/lanes.h",
        "gateway/endpoint/http_client.h",
    ],
    "gateway/notices": [
        "base", "certstore/x509", "certstore/vault", "gateway/delivery/webhook_signature.h", "gateway/endpoint/http_client.h",
    ],
    "gateway/lifecycle": [
        "base", "certstore/x509", "agreements", "gateway/notices/notice_sender.h", "gateway/exchange/certificate_exchange_store.h",
    ],
    "gateway/pickup": ["base", "gateway/exchange/message_store.h", "gateway/exchange/outbound.h", "gateway/exchange/lanes.h"],
    "gateway/operations": [
        "base", "certstore/x509", "agreements", "as2/disposition.h", "as2/mdn.h", "as2/receipt.h",
        "gateway/exchange/message_store.h", "gateway/exchange/observer.h", "gateway/exchange/account_snapshot.h",
        "gateway/exchange/revocation_check.h", "gateway/revocation/wanted_lists.h",
        "gateway/endpoint/http_server.h", "gateway/endpoint/http_message.h", "gateway/endpoint/http_client.h",
    ],
    "gateway/evidence": [
        "base", "certstore/x509", "agreements", "as2",
        "gateway/exchange/message_store.h", "gateway/exchange/account_snapshot.h",
    ],
    # The simulator misbehaves below HTTP, where the endpoint's faces do not let anybody; it reads requests by the endpoint's gate.
    "gateway/simulator": [
        "base", "certstore/x509", "certstore/vault/audit_log.h", "agreements", "as2",
        "gateway/exchange/account_snapshot.h", "gateway/exchange/agreement_settings.h", "gateway/exchange/outbound_request.h",
        "gateway/endpoint/http_server.h", "gateway/endpoint/http_client.h", "gateway/endpoint/http_gate.h",
        "gateway/endpoint/http_wire.h",
    ],
    "gateway/api": [
        "base", "certstore", "agreements", "as2/mime/headers.h", "gateway/endpoint/http_server.h", "gateway/endpoint/http_message.h",
        "gateway/endpoint/basic_credentials.h", "gateway/lifecycle/inventory.h", "gateway/lifecycle/rollover.h",
        "gateway/exchange/certificate_exchange_store.h",
    ],
    "gateway/publication": [
        "base", "certstore/x509", "certstore/authority", "gateway/endpoint/http_server.h", "gateway/endpoint/http_message.h",
    ],
    "gateway/store": [
        "base", "certstore", "agreements", "gateway/exchange/message_store.h", "gateway/exchange/certificate_exchange_store.h",
        "gateway/evidence/evidence_store.h",
        "gateway/api/principal.h", "gateway/api/resource_store.h", "gateway/remote_vault/vault_link.h",
        "gateway/revocation/revocation_store.h",
        "gateway/lifecycle/expiry_notice_store.h",
    ],
    "gateway/cli": ["base", "certstore", "agreements", "as2", "gateway"],
}

# Folders that only some files may look into: what misbehaves on purpose is out of the gateway's own reach.
SEEN_ONLY_BY = {"gateway/simulator": re.compile(r"^gateway/(simulator/|cli/simulate)")}

# Libraries whose types stay in .cc files and in the headers named here.
INTERNAL_HEADERS = {"base/openssl.h", "base/openssl_keys.h", "base/openssl_stream.h"}
LIBRARY_TYPES = re.compile(r"^<(openssl/|curl/|sqlite3|SQLiteCpp/|boost/|pugixml|zlib)")

PICTURE = "docs/architecture.md"
ARROW = re.compile(r"^\s*([a-z0-9_]+(?: & [a-z0-9_]+)*) (?:-->|-\. .* \.->) ([a-z0-9_]+(?: & [a-z0-9_]+)*)$")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<][^">]+[">])')


def folder_of(path: str) -> str | None:
    fitting = [folder for folder in ALLOWED if path.startswith(folder + "/")]
    return max(fitting, key=len, default=None)


def is_hidden(path: str, target: str) -> bool:
    return any(target.startswith(folder + "/") and not seers.match(path) for folder, seers in SEEN_ONLY_BY.items())


def is_allowed(folder: str, target: str) -> bool:
    if target.startswith(folder + "/"):
        return True
    return any(target == rule or target.startswith(rule + "/") for rule in ALLOWED[folder])


def problems(root: pathlib.Path):
    for top in sorted({folder.split("/")[0] for folder in ALLOWED}):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in {".h", ".cc"}:
                continue
            path = file.relative_to(root).as_posix()
            folder = folder_of(path)
            if folder is None:
                yield f"{path}:1: lies in no folder of the house plan"
                continue
            public_header = file.suffix == ".h" and path not in INTERNAL_HEADERS and not path.endswith("_internal.h")
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                quoted, target = match.group(1), match.group(1)[1:-1]
                if quoted.startswith('"'):
                    if not (root / target).is_file():
                        yield f'{path}:{number}: "{target}" is not a path from the root of the repository'
                    elif not is_allowed(folder, target):
                        yield f'{path}:{number}: {folder} must not include "{target}"; it may include: {", ".join(ALLOWED[folder]) or "nothing"}'
                    elif is_hidden(path, target):
                        yield f'{path}:{number}: "{target}" is not for this file: {folder_of(target)} misbehaves on purpose'
                    elif public_header and (target in INTERNAL_HEADERS or target.endswith("_internal.h")):
                        yield f'{path}:{number}: a public header shows the internal header "{target}"'
                elif public_header and LIBRARY_TYPES.match(quoted):
                    yield f"{path}:{number}: a public header shows {target}; keep it in .cc files and *_internal.h"


def module(folder: str) -> str:
    return folder.split("/")[-1]


def includes_between_modules(root: pathlib.Path):
    """Pairs of modules of which the first includes a header of the second. That a part includes its whole's is no arrow."""
    for folder in ALLOWED:
        for file in (root / folder).rglob("*"):
            if file.suffix not in {".h", ".cc"} or folder_of(file.relative_to(root).as_posix()) != folder:
                continue
            for match in map(INCLUDE.match, file.read_text(encoding="utf-8").splitlines()):
                seen = folder_of(match.group(1)[1:-1]) if match else None
                if seen and not folder.startswith(seen):
                    yield module(folder), module(seen)


def picture_problems(root: pathlib.Path):
    """The picture leaves out what follows from its other arrows."""
    lines = (root / PICTURE).read_text(encoding="utf-8").splitlines()
    arrows = {}  # and where they are drawn
    for number, line in enumerate(lines, 1):
        if match := ARROW.match(line):
            arrows.update({(user.strip(), used.strip()): number for user in match.group(1).split("&") for used in match.group(2).split("&")})
    included = set(includes_between_modules(root))
    for arrow, number in arrows.items():
        if arrow not in included:
            yield f"{PICTURE}:{number}: nothing in {arrow[0]} includes a header of {arrow[1]}: take the arrow out"
    for user, used in sorted(included):
        reached, new = set(), {user}
        while new:
            reached |= new
            new = {target for source, target in arrows if source in new} - reached
        if used not in reached:
            yield f"{PICTURE}:1: {user} includes headers of {used}: draw an arrow"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    root = parser.parse_args().root
    found = [*problems(root), *picture_problems(root)]
    print("\n".join(found) if found else "every include follows the arrows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
