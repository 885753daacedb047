"""The gateway under strace: system calls counted, watched, made to fail."""

import functools
import re
import shutil
import subprocess

from row import Skip

# LeakSanitizer cannot look at a process that is traced already.
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=0"}


@functools.cache
def why_not():
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return "" if tried.returncode == 0 else f"ptrace is not permitted here: {tried.stderr.strip()}"


def need():
    """@raises Skip"""
    if why_not():
        raise Skip(why_not())


def wrapper(output, calls, *options):
    """The command that runs another one and writes these calls of all its threads to a file."""
    return ["strace", "-f", "-qq", "-o", output, "-e", "trace=" + ",".join(calls), "-e", "signal=none", *options]


def failing(call, error, when):
    """Options that let a call fail: `when` is N, N+, N+STEP, in each thread."""
    return ["-e", f"inject={call}:error={error}:when={when}"]


def lines(output):
    """Call, arguments and result of each finished call, those that were interrupted by another thread's put together."""
    unfinished = {}
    for line in output.read_text(errors="replace").splitlines():
        thread, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            unfinished[thread] = text.removesuffix("<unfinished ...>")
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", text)
        if resumed:
            text = unfinished.pop(thread, "") + resumed.group(1)
        call = re.match(r"(\w+)\((.*)\)\s+= (.*)$", text)
        if call:
            yield call.groups()
