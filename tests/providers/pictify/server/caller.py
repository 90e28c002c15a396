"""An HTTP-less caller of an app, for tests of routes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from werkzeug.test import Client, TestResponse

from pictify_sync.providers.pictify.server.app import Options, ServerApp, create_app
from tests.providers.pictify.server.fake_engine import FakeRenderer

TEMPLATE = {"name": "Card", "html": "<h1>{{name}}</h1>", "width": 60, "height": 40}
SQUARE = {"layouts": {"square": {"width": 20, "height": 20, "name": "Square"}}}


def opened(folder: Path, **changes: Any) -> ServerApp:
    """An app with the fake engine."""
    return create_app(folder, Options(FakeRenderer, workers=1, render_seconds=5, **changes))


class Caller:
    """Calls an app with one key."""

    def __init__(self, app: ServerApp, key: str = "anything") -> None:
        self.app = app
        self.key = key
        self._client = Client(app)

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.open(
            path, method=method, json=body, headers={"Authorization": f"Bearer {self.key}", **named}
        )

    def json(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """The JSON of an answer that must be a success."""
        found = self(method, path, body, **headers)
        assert found.status_code < 300, (found.status_code, found.text)
        return found.json

    def uid(self, **changes: object) -> str:
        """A new template."""
        return str(self.json("POST", "/templates", {**TEMPLATE, **changes})["template"]["uid"])

    def submit(self, uid: str, count: int = 1, /, *, fault: str = "", **fields: object) -> str:
        """A new batch of so many items; gives its id."""
        sets = [{"name": f"{n}"} for n in range(count)]
        headers = {"X_Emulator_Fault": fault} if fault else {}
        path = f"/templates/{uid}/batch-render"
        return str(self.json("POST", path, {"variableSets": sets, **fields}, **headers)["batchId"])

    def results(self, batch: str) -> Any:
        """What is shown of a batch now."""
        return self.json("GET", f"/templates/batch/{batch}/results")

    def finished(self, batch: str) -> Any:
        """The results of a batch once it is over."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found = self.results(batch)
            if found["status"] not in ("pending", "processing"):
                return found
            time.sleep(0.02)
        raise AssertionError("the batch does not end")
