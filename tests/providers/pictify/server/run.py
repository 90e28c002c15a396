"""A process of its own for tests: submit one batch to a folder through the provider `local`, and wait for its end.

Arguments: folder, log folder, idempotency key, number of items, seconds per picture, workers. Says `accepted ID`, then
the batch's status.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from pictify_sync.providers.local.connect import over
from pictify_sync.providers.pictify.server.app import Options
from tests.providers.conformance import accepted, finish, request, template
from tests.providers.connecting import connection
from tests.providers.pictify.server.fake_engine import FakeRenderer


def main() -> None:
    """Run it."""
    folder, log, key = sys.argv[1:4]
    items, seconds, workers = int(sys.argv[4]), float(sys.argv[5]), int(sys.argv[6])
    how = Options(partial(FakeRenderer, log, seconds))
    provider = over(connection("local", folder=folder, workers=workers, render_timeout=20.0, max_items=1000), how)
    uid_file = Path(log, "uid")
    if not uid_file.exists():
        uid_file.write_text(provider.push_template(template(f"{{{{name}}}} of {key}"), None))
    uid = uid_file.read_text()
    wanted = request(uid, [{"name": f"{n}"} for n in range(items)], ("default", "square"), key=key)
    batch = accepted(provider, wanted)
    print("accepted", batch, flush=True)
    report = finish(provider, batch, wanted)
    assert len(report.outcomes) == 2 * items
    print(report.status, flush=True)
    provider.close()


if __name__ == "__main__":
    main()
