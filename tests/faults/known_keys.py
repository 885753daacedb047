"""Private keys of known numbers, and every way in which one may be spelled where it should not be.

The numbers are read by a DER reader of this file's own, and searched for in files and in a process's memory.
"""

import base64
import pathlib
import re
import subprocess
import tarfile

from sim.openssl import openssl

WINDOW = 24  # octets of a number that are looked for: a multiple of 3, and more than chance ever gives
HUGE = 1 << 36  # a mapping larger than this is a sanitizer's shadow, in which there is no data


class KnownKey:
    """An RSA or EC key that was made outside, its file, and the numbers that nobody may see."""

    def __init__(self, directory, name, kind):
        self.name = name
        self.file = pathlib.Path(directory) / f"{name}.key"
        self.certificate = pathlib.Path(directory) / f"{name}.crt"
        how = ["rsa:2048"] if kind == "RSA" else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl("req", "-x509", "-newkey", *how, "-noenc", "-days", 3650, "-subj", f"/CN={name}", "-keyout", self.file, "-out", self.certificate)
        self.der = openssl("pkcs8", "-topk8", "-nocrypt", "-in", self.file, "-outform", "DER")
        self.numbers = dict(numbers_of(self.der, kind))
        self.key_file = self.file

    def as_pfx(self, passphrase):
        """The same key in a PFX, which is then the file to be imported."""
        self.key_file = self.file.with_suffix(".pfx")
        openssl("pkcs12", "-export", "-inkey", self.file, "-in", self.certificate, "-passout", f"pass:{passphrase}", "-out", self.key_file)
        return self


def numbers_of(pkcs8, kind):
    """The private numbers of a PrivateKeyInfo, each with its name."""
    _, _, wrapped = values_in(values_in(pkcs8)[0])[:3]
    inside = values_in(values_in(wrapped)[0])
    if kind == "EC":
        return [("d", inside[1])]
    return [(name, inside[place].lstrip(b"\0")) for name, place in (("d", 3), ("p", 4), ("q", 5))]


def values_in(der):
    """The contents of the DER values that lie one after the other."""
    values = []
    while der:
        size, start = der[1], 2
        if size & 0x80:
            start = 2 + (size & 0x7F)
            size = int.from_bytes(der[2:start], "big")
        values.append(der[start:start + size])
        der = der[start + size:]
    return values


def windows(number):
    """Its beginning and its end, and what is between as far as that is long."""
    places = {0, max(0, len(number) - WINDOW), (len(number) - WINDOW) // 2 if len(number) > 2 * WINDOW else 0}
    return [number[place:place + WINDOW] for place in sorted(places)]


def raw_spellings(key):
    """(what it is, octets): as numbers lie in memory and in DER."""
    for name, number in key.numbers.items():
        for part in windows(number):
            yield f"{key.name}'s {name}, big-endian", part
            yield f"{key.name}'s {name}, little-endian", part[::-1]


def text_spellings(key):
    """The same as text: hexadecimal in both cases, and Base64 wherever in three octets it begins."""
    for name, number in key.numbers.items():
        for part in windows(number):
            for order, octets in (("big-endian", part), ("little-endian", part[::-1])):
                yield f"{key.name}'s {name}, {order}, in hexadecimal", octets.hex().encode()
                yield f"{key.name}'s {name}, {order}, in hexadecimal", octets.hex().upper().encode()
                for skipped in range(3):
                    whole = octets[skipped:skipped + (len(octets) - skipped) // 3 * 3]
                    yield f"{key.name}'s {name}, {order}, in Base64", base64.b64encode(whole)
                    yield f"{key.name}'s {name}, {order}, in Base64url", base64.urlsafe_b64encode(whole)
    body = base64.b64encode(key.der)
    for place in range(len(body) // 3, len(body) - 40, len(body) // 3):
        yield f"{key.name}'s PEM", body[place:place + 40]


def found_in(octets, spellings):
    return [what for what, pattern in spellings if pattern in octets]


def spellings_of(keys):
    return list({pattern: (what, pattern) for key in keys for what, pattern in (*raw_spellings(key), *text_spellings(key))}.values())


def search_files(directories, spellings):
    """Every file below: as it is, without what breaks lines of text, and what is packed in archives. @returns (files looked at, hits)"""
    looked_at, hits = 0, []
    for directory in directories:
        for file in sorted(path for path in pathlib.Path(directory).rglob("*") if path.is_file() and not path.is_symlink()):
            looked_at += 1
            octets = file.read_bytes()
            unbroken = re.sub(rb"\\r|\\n|[\r\n: ]", b"", octets)
            hits += [f"{file}: {what}" for what in dict.fromkeys(found_in(octets, spellings) + found_in(unbroken, spellings))]
            if tarfile.is_tarfile(file):
                with tarfile.open(file) as archive:
                    for member in archive.getmembers():
                        held = archive.extractfile(member)
                        hits += [f"{file}, {member.name}: {what}" for what in found_in(held.read() if held else b"", spellings)]
    return looked_at, hits


def search_memory(pid, spellings):
    """What the process holds, in every mapping that can be read: heap, secure heap, stacks, data. @returns (octets looked at, hits)

    @raises PermissionError  not for this user"""
    looked_at, hits = 0, []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, mode, *rest = line.split(maxsplit=5)
            begin, end = (int(part, 16) for part in span.split("-"))
            if not mode.startswith("rw") or end - begin > HUGE or line.endswith("[vvar]"):
                continue
            for at, octets in present(pid, memory, begin, end):
                looked_at += len(octets)
                hits += [f"{at:x} {rest[-1] if len(rest) > 3 else 'anonymous'}: {what}" for what in found_in(octets, spellings)]
    return looked_at, hits


def present(pid, memory, begin, end, page=4096):
    """The runs of pages that are there: a sanitizer's heap is mostly address space."""
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        pagemap.seek(begin // page * 8)
        entries = pagemap.read((end - begin) // page * 8)
    start = None
    for number in range((end - begin) // page + 1):
        # Bit 63: in memory; bit 62: swapped out.
        there = number * 8 < len(entries) and entries[number * 8 + 7] & 0xC0
        if there and start is None:
            start = begin + number * page
        elif not there and start is not None:
            yield from read_run(memory, start, begin + number * page)
            start = None


def read_run(memory, start, end):
    try:
        memory.seek(start)
        octets = b""
        while len(octets) < end - start:
            part = memory.read(end - start - len(octets))
            if not part:
                break
            octets += part
        yield start, octets
    except OSError:
        return  # the kernel's own, or gone meanwhile


def modes_that_are_open(home):
    """What others than the owner of a home may look into; documents may be for his group as well."""
    documents = (home / "delivery", home / "pickup")

    def closed_to(path):
        return 0o007 if any(folder in path.parents for folder in documents) else 0o077
    return [f"{path} has mode {path.lstat().st_mode & 0o7777:04o}" for path in [home, *home.rglob("*")]
            if not path.is_symlink() and path.lstat().st_mode & closed_to(path)]
