"""Which of many embedded servers one is: an id that belongs to the place of its folder, so that no copy has it.

It is the name of an empty folder, together with that folder's number and the time it was last changed: no way of
copying takes these along. Renaming or moving the project keeps all three, as long as it stays on its file system; so
does a reboot. The id lies beside the server's folder, so that removing that folder, which is safe at any time, does not
make another server of it. Where it is lost, nothing is: batches that the server had open are made anew a while later.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from tempfile import mkdtemp

from pictify_sync.core.fingerprint import digest

_TRIES = 3  # another process may make it at the same time


def read_instance(folder: Path) -> str:
    """The id of the server with that folder, made where there is none; all processes get the same one.

    Where nothing can be kept, it is another one each time.
    """
    for home in (folder.with_name(f"{folder.name}.instance"), folder / "instance"):
        for _ in range(_TRIES):
            with suppress(OSError):
                if found := _read(home):
                    return found
                _make(home)
    return token_hex(16)


def _read(home: Path) -> str:
    """The id that is kept there; "" when there is none. Of several, as after a merge of folders, the oldest counts."""
    try:
        found = [(mark.stat(follow_symlinks=False), mark.name) for mark in home.iterdir()]
    except FileNotFoundError:
        return ""
    if not found:
        return ""
    facts, name = min(found, key=lambda one: (one[0].st_ctime_ns, one[1]))
    return digest(f"{name} {facts.st_ino} {facts.st_ctime_ns}")


def _make(home: Path) -> None:
    """Make it whole under another name first: a folder takes the place of no other that holds anything."""
    home.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=f".{home.name}.", dir=home.parent))
    try:
        (draft / token_hex(16)).mkdir()
        draft.rename(home)
    except OSError:
        rmtree(draft, ignore_errors=True)  # another process was faster, or it cannot be made
