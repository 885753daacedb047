"""The gateway under libfaketime: its clock is what a file says, and may jump while it runs."""

import pathlib
import shutil
import subprocess

from row import Skip


def library():
    """@raises Skip  it is not installed"""
    found = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found or shutil.which("faketime") is None:
        raise Skip("libfaketime is not installed")
    return found[0]


class FakeClock:
    """What the clock of a process shows, as an offset from the real one; its monotonic clock stays real."""

    def __init__(self, directory):
        self._file = directory / "clock"
        self._library = library()
        self.show(0)

    def show(self, seconds):
        """From now on the clock is so many seconds ahead."""
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{seconds:+d}\n")
        draft.rename(self._file)

    @property
    def environment(self):
        return {"LD_PRELOAD": str(self._library), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1",
                # AddressSanitizer would ask for the time while its allocator is not ready for libfaketime's first malloc.
                "ASAN_OPTIONS": "allocator_release_to_os_interval_ms=-1"}


def run_at(seconds, *command):
    """Runs a command whose clock is so many seconds ahead."""
    library()
    done = subprocess.run(["faketime", "-f", f"{seconds:+d}", *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout
