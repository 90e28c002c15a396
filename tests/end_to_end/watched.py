"""Runs commands one after the other in this process, and prints what opened a database's file beside SQLite.

    python -m tests.end_to_end.watched 'plan --json' 'apply --yes' ...

Python announces every file that it opens; SQLite opens its files itself, unseen. So whatever is seen here is a fault:
its descriptor is closed some time, and all locks of the process on that file are gone.
"""

from __future__ import annotations

import io
import os
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout

from pictify_sync.cli.root import run

ENDINGS = (".db", ".db-wal", ".db-shm")


def main(lines: list[str]) -> None:
    """Run each line; print its exit code, and what was opened."""
    opened: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("open", "os.truncate", "shutil.copyfile") and isinstance(arguments[0], str | bytes | os.PathLike):
            name = os.fsdecode(arguments[0])
            if name.endswith(ENDINGS):
                opened.append(name)

    sys.addaudithook(watch)
    for line in lines:
        opened.clear()
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as talk:
            code = run(shlex.split(line))
        print(code, line, *opened, sep="\t")
        if code not in (0, 2):
            print(talk.getvalue(), file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
