"""A service that answers as a test says, well or badly; its pictures are 8 x 6, the size of the layout `default`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
from pydantic import SecretStr

from pictify_sync.core.model import Capabilities
from pictify_sync.providers.pictify.client import Opened, PictifyProvider
from pictify_sync.providers.transport.downloads import Downloads
from pictify_sync.providers.transport.http import Http
from pictify_sync.providers.transport.rate import Rate
from tests.providers.pictify.server.fake_engine import png
from tests.workflows.service import VirtualClock

HOST = "http://service.invalid"

Json = dict[str, Any]


class Scripted:
    """One account. `bend` may change the body of any results before it is sent."""

    def __init__(self, capabilities: Capabilities, instance: str = "") -> None:
        self.clock = VirtualClock()
        self.posts: list[Json] = []  # bodies of batches, in order
        self.polls = 0
        self.cancelled: list[str] = []
        self.takes = 202  # status that answers batches
        self.cancels = 200  # status that answers a cancel
        self.lookup = 404  # status that answers a look-up of renders
        self.refused = 0  # status that answers polls; 0: none
        self.host = HOST  # of its pictures
        self.trouble: httpx.Response | None = None  # in place of every picture
        self.healed_after: int | None = None  # downloads in trouble; None: it lasts
        self.refused_batch = ""  # the only one whose polls are refused; "": all are
        self.silent_polls = 0  # so many polls get a 502
        self.created: Json = {}  # answer to the create of a batch; {}: a good one
        self.bend: Callable[[Json], object] = lambda body: None
        rate = Rate(self.clock, capabilities.requests_per_minute)
        http = Http(HOST, SecretStr("k" * 64), transport=httpx.MockTransport(self._answer), rate=rate)
        downloads = Downloads(http.client, http.client, (), resolve=lambda _: ["127.0.0.1"])
        self.provider = PictifyProvider("pictify", Opened(http, downloads), capabilities, instance=instance)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.strip("/").split("/")
        if path[0] == "files":
            return self._file()
        if path[-1] == "batch-render":
            self.posts.append(json.loads(request.content))
            return httpx.Response(self.takes, json=self.created or {"batchId": f"b{len(self.posts)}"})
        if path[-1] == "results":
            return self._results(path[-2])
        if path[0] == "render":
            return httpx.Response(self.lookup, json={"message": "not on your plan"})
        if path[-1] == "cancel":
            self.cancelled.append(path[-2])
            return httpx.Response(self.cancels, json={"message": "so it is"})
        if request.method == "POST" and path == ["templates"]:
            return httpx.Response(200, json={"template": {"uid": "T1"}})
        return httpx.Response(404, json={"message": "Not found"})

    def _file(self) -> httpx.Response:
        if self.trouble is None or self.healed_after == 0:
            return httpx.Response(200, content=png(8, 6, "x"))
        if self.healed_after is not None:
            self.healed_after -= 1
        return self.trouble

    def _results(self, batch: str) -> httpx.Response:
        self.polls += 1
        if self.refused and batch in (self.refused_batch or batch):
            return httpx.Response(self.refused, json={"message": "not yours"})
        if self.silent_polls:
            self.silent_polls -= 1
            return httpx.Response(502, text="<html>Bad Gateway</html>")
        count = len(self.posts[int(batch[1:]) - 1]["variableSets"])
        body = {
            "batchId": batch,
            "status": "completed",
            "totalItems": count,
            "completedItems": count,
            "failedItems": 0,
            "results": [self._item(batch, index) for index in range(count)],
            "errors": [],
        }
        self.bend(body)
        return httpx.Response(200, json=body)

    def _item(self, batch: str, index: int) -> Json:
        url = f"{self.host}/files/{batch}-{index}.png"
        picture = {"layout": "default", "url": url, "width": 8, "height": 6}
        return {"index": index, "success": True, "variables": ["v"], "results": [picture], "errors": []}
