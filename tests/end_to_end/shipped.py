"""The shipped manifests in a project folder, and the programs around them: the render server, the webhook receiver."""

from __future__ import annotations

import shutil
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pictify_sync.providers.pictify.server.app import read_meter
from pictify_sync.webhooks.files import FileInbox
from tests.end_to_end.project import ProjectFolder, with_one_worker

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef" * 4
READER = "may-read-the-inbox"
FEW = ("country-cards/g[bs]", "product-cards/c*", "release-cards/3.1")  # several layouts, templates and formats
REMOTE = (
    "provider: pictify\n"
    "providers: {pictify: {poll_seconds: 0.2, requests_per_minute: 6000, max_open: 4, max_items: 20%s}}\n"
)
BY_WEBHOOK = REMOTE % ", urls_in_results: false, url_sources: [inbox]"


class Shipped(ProjectFolder):
    """A copy of the shipped manifests. `select`: patterns of what is applied; none: everything."""

    def __init__(self, folder: Path, *, settings: str = "", select: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.manifests = folder / "manifests"
        shutil.copytree(ROOT / "manifests", self.manifests)
        self.write("pictify-sync.yaml", f"version: 1\n{with_one_worker(settings)}")
        self.select = tuple(word for pattern in select for word in ("--select", pattern))

    def apply(self, environ: Mapping[str, str] | None = None) -> str:
        """Apply what is selected; gives what the command said."""
        done = self.run("apply", "--yes", *self.select, environ=environ)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def collect(self, environ: Mapping[str, str], *inbox: str) -> None:
        """Collect, which must exit with 0."""
        done = self.run("collect", *inbox, environ=environ)
        assert done.returncode == 0, done.stdout + done.stderr

    def rendered(self) -> Counter[tuple[str, str, str]]:
        """(template, variables, layout) -> times that the server rendered it."""
        rows = read_meter(self.folder / "server")
        return Counter((row["template"], row["variables"], row["layout"]) for row in rows)

    def of_first_batch(self) -> int:
        """How many pictures the first batch of the server had."""
        rows = [row["batch"] for row in read_meter(self.folder / "server")]
        return rows.count(rows[0])

    def delivered(self, count: int) -> None:
        """Wait until so many deliveries came, for a minute after the last; those of stored pictures are in no inbox."""
        inbox, found, end = FileInbox(self.folder / ".pictify-sync/inbox"), 0, time.monotonic() + 60
        while found < count:
            seen, found = found, sum(1 for _ in inbox.deliveries()) + len(self.files())
            end = time.monotonic() + 60 if found > seen else end
            assert time.monotonic() < end, found
            time.sleep(0.05)

    @contextmanager
    def program(self, says: str, *arguments: str, environ: Mapping[str, str] | None = None) -> Iterator[str]:
        """A command that runs until it is told to stop; gives the URL that it says on its first line."""
        process = self.start(*arguments, environ=environ)
        assert process.stderr is not None
        line = process.stderr.readline()
        assert says in line, line + process.stderr.read()
        try:
            yield line.split(says)[1].strip()
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)

    @contextmanager
    def served(self, *options: str) -> Iterator[dict[str, str]]:
        """The render server; gives the environment that points to it."""
        start = ("serve", "--port", "0", "--token", KEY, "--folder", "server")
        with self.program("Serving at ", *start, *options) as url:
            yield {"PICTIFY_API_KEY": KEY, "PICTIFY_BASE_URL": url, "PICTIFY_INBOX_TOKEN": READER}

    def subscribed(self, environ: Mapping[str, str]) -> tuple[int, str]:
        """Subscribe a receiver that is to come; gives its port and the secret."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        made = self.run("webhooks", "subscribe", f"http://127.0.0.1:{port}/webhook", environ=environ)
        assert made.returncode == 0, made.stderr
        return port, made.stdout.strip()

    @contextmanager
    def receiving(self, environ: Mapping[str, str], port: int, secret: str) -> Iterator[str]:
        """The receiver; gives the URL of its inbox."""
        told = {**environ, "PICTIFY_WEBHOOK_SECRET": secret}
        with self.program("Receiving at ", "webhooks", "serve", "--port", str(port), environ=told) as url:
            yield f"{url}/inbox"
