"""A client of another make than `caller`: it knows answers, and no help."""

from __future__ import annotations

import time
from typing import Any

from werkzeug.test import Client, TestResponse

from pictify_sync.providers.pictify.server.app import ServerApp

KEY = {"Authorization": "Bearer anything"}


TEMPLATE = {
    "name": "Post card",
    "html": "<h1>{{headline}}</h1>",
    "width": 60,
    "height": 40,
    "layouts": {"story": {"width": 20, "height": 30, "name": "Story"}},
}


class Caller:
    """Calls an app."""

    def __init__(self, app: ServerApp) -> None:
        self.app = app
        self.client = Client(app)

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(path, method=method, json=body, headers={**KEY, **named})

    def uid(self, **changes: object) -> str:
        """A new template."""
        found = self("POST", "/templates", {**TEMPLATE, **changes})
        assert found.status_code == 200, found.text
        uid: str = found.json["template"]["uid"]  # type: ignore[index]
        return uid

    def batch(self, uid: str, sets: list[dict[str, object]], **fields: object) -> dict[str, Any]:
        """Render a batch to its end; gives the results."""
        found = self("POST", f"/templates/{uid}/batch-render", {"variableSets": sets, **fields})
        assert found.status_code == 202, found.text
        made: dict[str, Any] = found.json  # type: ignore[assignment]
        while True:
            results = self("GET", f"/templates/batch/{made.get('batchId') or made['id']}/results").json
            assert isinstance(results, dict)
            if results.get("status", results.get("batch", {}).get("status")) not in ("pending", "processing"):
                return results
            time.sleep(0.02)
