"""Small file systems of our own, in a mount namespace that goes away with the process."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import subprocess
import threading

from row import Skip

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000

_entered = False
_mounted = []


def enter():
    """Gives this process, and what it starts, mounts of its own. Root or not. @raises Skip  it is not permitted."""
    global _entered
    if _entered:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWNS if user == 0 else CLONE_NEWNS | CLONE_NEWUSER) != 0:
        raise Skip(f"no mount namespace is permitted here: {os.strerror(ctypes.get_errno())}")
    if user != 0:
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    _run("mount", "--make-rprivate", "/")
    _entered = True


def leave():
    """Takes away what small() and bind() mounted."""
    while _mounted:
        _run("umount", "--lazy", _mounted.pop())


def small(directory, mebibytes):
    """Puts a small file system in the place of a directory, with all that was in it."""
    directory.mkdir(parents=True, exist_ok=True)
    aside = directory.with_name(directory.name + ".aside")
    shutil.copytree(directory, aside)
    _run("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=700", "tmpfs", directory)
    _mounted.append(directory)
    shutil.copytree(aside, directory, dirs_exist_ok=True)
    shutil.rmtree(aside)


def bind(source, directory):
    """Shows a directory at another place."""
    directory.mkdir(parents=True, exist_ok=True)
    _run("mount", "--bind", source, directory)
    _mounted.append(directory)


@contextlib.contextmanager
def filled(directory):
    """Takes all the space of a disk, and whatever becomes free, until it is over."""
    ballast = directory / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        ending = threading.Event()

        def fill():
            while True:
                for size in (1 << 20, 4096, 1):
                    with contextlib.suppress(OSError):
                        while True:
                            file.write(b"\0" * size)
                if ending.wait(0.02):
                    return

        filling = threading.Thread(target=fill)
        filling.start()
        try:
            yield
        finally:
            ending.set()
            filling.join()
            ballast.unlink()


def _run(*command):
    done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Skip(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
