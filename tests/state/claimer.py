"""A process that claims keys on a Git ref: python -m tests.state.claimer HUB FOLDER NAME COUNT.

A line "claimed N" comes after the intent is durable: the moment in which a POST would leave.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pictify_sync.errors import Conflict
from tests.state.git_remotes import Hub
from tests.state.samples import intended, key, settled, stored, submitted


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(hub: str, folder: str, name: str, count: str) -> None:
    """Claim all keys that nobody has claimed, one by one, and settle each."""
    with Hub(Path(hub)).open(Path(folder)) as store:
        say("ready 0")
        for number in range(int(count)):
            attempt = f"{name}-{number}"
            while True:
                serial = store.serial()
                taken = {claim.key for batch in store.open_batches() for claim in batch.intended.claims}
                if key(number) in taken or store.record(key(number)) is not None:
                    break
                try:
                    serial = store.commit(serial, [intended(attempt, {number: number})])
                except Conflict:
                    continue
                say(f"claimed {number}")
                serial = store.commit(serial, [submitted(attempt)])
                store.commit(store.serial(), [settled(attempt, stored(number))])
                break
    say("ended 0")


if __name__ == "__main__":
    main(*sys.argv[1:])
