"""The instants that have a name in the source (base/failpoint.h), and whether everything that needs one has one."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMED = re.compile(r'failpoint\("([a-z.-]+)"\)')
# What makes something durable, puts it in its place or sends it away.
STEP = re.compile(r'(?<!\w)::(?:fsync|fdatasync|rename|renameat2?|linkat|link)\(|"COMMIT"|curl_easy_perform\(|async_write\(')
NEAR = 4  # lines


def sources():
    for folder in ("base", "certstore", "agreements", "as2", "gateway"):
        yield from sorted((ROOT / folder).rglob("*.cc"))


def names():
    """Every name, each once, in the order of the source files."""
    return list(dict.fromkeys(name for file in sources() for name in NAMED.findall(file.read_text())))


def steps_without_a_name():
    """Places that no failpoint is near, as text."""
    places = []
    for file in sources():
        lines = file.read_text().splitlines()
        for number, line in enumerate(lines):
            near = lines[max(0, number - NEAR):number + 1]
            if STEP.search(line) and not any(NAMED.search(other) for other in near):
                places.append(f"{file.relative_to(ROOT)}:{number + 1}: {line.strip()}")
    return places
