"""Power cuts: what was not synced is gone. power/power.cc keeps what was; here the directory is put together from that."""

import pathlib
import shutil


class Disk:
    """A directory on a disk that forgets, and the program's environment with which it does."""

    def __init__(self, directory, module, aside):
        """`aside` is a place for what is durable, on the same disk."""
        self.directory = pathlib.Path(directory)
        self._module = module
        self._shadows = pathlib.Path(aside)

    def power_up(self):
        """Everything that is there now is durable. @returns the environment of a program that is to lose what it does not sync"""
        shutil.rmtree(self._shadows, ignore_errors=True)
        self._shadows.mkdir()
        self._root = self.directory.stat().st_ino
        for path in [self.directory, *self.directory.rglob("*")]:
            inode = path.stat().st_ino
            if path.is_dir():
                names = [f"{entry.stat().st_ino} {'d' if entry.is_dir() else 'f'} {entry.name}" for entry in path.iterdir()]
                (self._shadows / f"{inode}.names").write_text("".join(name + "\0" for name in names))
            elif path.is_file():
                shutil.copyfile(path, self._shadows / f"{inode}.data")
        return {"LD_PRELOAD": str(self._module), "SIGNET_POWER": str(self._shadows)}

    def cut(self):
        """Puts what is durable in the place of what is there. The program must be dead. @returns how many files are others now"""
        restored = self.directory.with_name(self.directory.name + ".restored")
        self._restore(self._root, restored)
        changed = sum(1 for path in self.directory.rglob("*") if path.is_file() and not same(path, restored / path.relative_to(self.directory)))
        restored.chmod(self.directory.stat().st_mode)
        shutil.rmtree(self.directory)
        restored.rename(self.directory)
        return changed

    def _restore(self, inode, target):
        target.mkdir(mode=0o700)
        names = self._shadows / f"{inode}.names"
        for line in names.read_text().split("\0")[:-1] if names.exists() else []:
            entry, kind, name = line.split(" ", 2)
            if kind == "d":
                self._restore(entry, target / name)
                continue
            content = self._shadows / f"{entry}.data"
            data = content.read_bytes() if content.exists() else b""  # a name that is durable, and never any content
            (target / name).write_bytes(data)
            (target / name).chmod(0o600)


def same(one, other):
    return other.is_file() and one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()
