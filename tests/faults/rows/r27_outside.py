"""R27: whatever URLs, file names and entities a partner or a file has in it, nothing happens outside of the home."""

import os
import pathlib
import re

import hostile
import strace
from row import Outcome
from gateway import GatewayFailed
from sim.client import post_once

CALLS = ["connect", "sendto", "execve", "openat", "open", "creat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir",
         "mkdirat", "link", "linkat", "symlink", "symlinkat", "truncate", "chmod", "fchmodat"]
# What libraries read on their own account.
READ_BY_LIBRARIES = ("/lib", "/usr/", "/etc/ld.so", "/etc/ssl/", "/etc/localtime", "/dev/", "/proc/", "/sys/")
XML = hostile.VECTORS.parent / "corpora" / "xml" / "xxe"


def measure(bench):
    strace.need()
    trade = bench.trade(messages=1, **hostile.TRADE)
    cases = hostile.as2_cases("ssrf-", "filename-", "hdr-", "efail-") * bench.share(1, 3)
    output = bench.directory / "calls.txt"
    trade.gateway.start(wrapper=strace.wrapper(output, CALLS, "-y", "-s", "4096"), environment=strace.ENVIRONMENT)
    faults = []
    for case in cases:
        hostile.exchange(trade.gateway.address(), case.octets)
    post_once(trade.gateway.address, trade.messages[0].request("<last@partner.test>"))
    trade.gateway.terminate()
    inside = [trade.gateway.home, trade.gateway.log, trade.gateway.ports_directory]
    looked_at, effects = judge(output, inside)
    faults += effects
    documents = sorted(XML.glob("*.xml"))
    for document in documents:
        output = bench.directory / f"apply-{document.name}.txt"
        try:
            trade.gateway.run("apply", document, environment=strace.ENVIRONMENT,
                              wrapper=strace.wrapper(output, CALLS, "-y", "-s", "4096"))
            faults.append(f"apply took {document.name}")
        except GatewayFailed:
            pass
        calls, effects = judge(output, [*inside, document])
        looked_at += calls
        faults += [f"apply {document.name}: {effect}" for effect in effects]
    return Outcome(f"{len(cases)} requests and {len(documents)} documents, {looked_at} calls looked at, {len(faults)} outside effects",
                   "no connection, no program run, no file touched or read outside of the home", faults)


def judge(output, inside):
    """@returns how many calls there were, and those that reach outside"""
    calls = list(strace.lines(output))
    return len(calls), [fault for call, arguments, result in calls if (fault := outside_effect(call, arguments, inside))]


def outside_effect(call, arguments, inside):
    if call == "connect" or call == "sendto" and "sa_family" in arguments:
        return f"{call}({arguments})"
    paths = named_paths(arguments)
    if call == "execve":
        return None if pathlib.Path(paths[0]).name.startswith(("signet", "setpriv")) else f"it ran {paths[0]}"
    reads = call in ("open", "openat") and not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", arguments)
    for path in paths:
        if any(path == str(place) or path.startswith(f"{place}/") for place in inside):
            continue
        if reads and path.startswith(READ_BY_LIBRARIES) or path in ("/dev/null", "/dev/tty"):
            continue
        return f"{call}({arguments})"
    return None


def named_paths(arguments):
    """The paths in a call's arguments, each behind the directory that it is relative to."""
    found = re.findall(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>,\s*)?"((?:[^"\\]|\\.)*)"', arguments)
    return [os.path.normpath(os.path.join(directory or "/", path)) for directory, path in found]
