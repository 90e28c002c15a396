"""What is forgotten, and what is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

from pictify_sync.core.outcomes import BatchStatus, Rendered
from pictify_sync.providers.local.connect import over
from pictify_sync.providers.pictify.server.app import Options, read_meter
from pictify_sync.providers.pictify.server.store.retention import purge
from tests.providers.conformance import accepted, finish, render, request, template
from tests.providers.connecting import connection
from tests.providers.pictify.server.fake_engine import FakeRenderer


def test_old_batches_are_forgotten(tmp_path: Path) -> None:
    """Ended batches and the files that only they named go; the meter, templates, open batches and shared files stay."""
    provider = over(connection("local", folder=str(tmp_path), workers=1), Options(FakeRenderer))
    try:
        uid = provider.push_template(template(), None)
        old = request(uid, [{"name": "shared"}, {"name": "old"}], key="old")
        render(provider, old)
        cut = time.time()
        new = request(uid, [{"name": "shared"}], key="new")
        kept = render(provider, new).outcomes[0, "default"]
        for path in (tmp_path / "files").iterdir():
            os.utime(path, (0, 0))
        assert purge(tmp_path, cut) == 1
        assert purge(tmp_path, cut) == 0
        assert isinstance(kept, Rendered)
        assert kept.url
        assert b"shared" in b"".join(provider.download(kept.url))
        assert finish(provider, accepted(provider, new), new).status is BatchStatus.COMPLETED
        assert len(read_meter(tmp_path)) == 3
        again = accepted(provider, old)
        assert finish(provider, again, old).status is BatchStatus.COMPLETED
        assert len(read_meter(tmp_path)) == 5
    finally:
        provider.close()


def test_young_files_are_left(tmp_path: Path) -> None:
    """A file that nothing names yet may be about to be recorded."""
    provider = over(connection("local", folder=str(tmp_path)), Options(FakeRenderer))
    provider.close()
    (tmp_path / "files" / "young.png").touch()
    assert purge(tmp_path, time.time()) == 0
