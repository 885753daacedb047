#!/usr/bin/env python3
"""Packs a folder of test inputs into one archive that corpora_test.cc reads: ustar in gzip, each content once.

usage: pack.py FOLDER ARCHIVE.tar.gz
"""

import gzip
import io
import os
import sys
import tarfile

LONGEST_NAME = 95  # ustar has room for 100; the end of a name tells more than its beginning
NO_INPUTS = ("LICENSE-NOTE.txt", "REFERENCE.tsv", "EXPECTED.tsv", "MANIFEST.md")


def files_below(folder):
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name not in NO_INPUTS:
                yield os.path.join(parent, name)


def main(folder, archive):
    tar = io.BytesIO()
    seen = set()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as pack:
        for path in files_below(folder):
            with open(path, "rb") as file:
                content = file.read()
            if content in seen:
                continue
            seen.add(content)
            name = os.path.relpath(path, folder).encode()[-LONGEST_NAME:].decode("utf-8", "ignore")
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            pack.addfile(entry, io.BytesIO(content))
    with open(archive, "wb") as file:
        file.write(gzip.compress(tar.getvalue(), 9, mtime=0))
    print(f"{archive}: {len(seen)} inputs, {os.path.getsize(archive)} octets")


if __name__ == "__main__":
    main(*sys.argv[1:])
