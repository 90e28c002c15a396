"""One request as a route sees it: who calls, what was sent, and the options in force for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.wrappers import Request

from pictify_sync.providers.pictify.server.faults import Fault
from pictify_sync.providers.pictify.server.options import Options
from pictify_sync.providers.pictify.server.wire import WireError, parse_object


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in."""

    request: Request
    values: Mapping[str, str]  # of the path
    options: Options  # of the server, with what this request changes
    team: str = ""  # "": all keys see the same
    faults: tuple[Fault, ...] = ()

    @property
    def args(self) -> Mapping[str, str]:
        """The query; of a repeated name the first value."""
        return self.request.args

    @property
    def base(self) -> str:
        """URL of the server, ending in /."""
        return self.options.public_url or self.request.root_url

    @property
    def idempotency_key(self) -> str:
        """By which a repeated request is known; "": there is none, or it is ignored."""
        return self.request.headers.get("Idempotency-Key", "") if self.options.idempotent else ""

    def body(self, *, needed: bool = True) -> dict[str, object]:
        """The body as a JSON object. 400 when it is none, or is needed and empty."""
        self.request.max_content_length = self.options.max_body
        data = self.request.get_data(cache=False)
        if needed and not data:
            raise WireError(400, "A body is needed")
        return parse_object(data)

    def link(self, name: str) -> str:
        """URL of a rendered file."""
        return f"{self.base}files/{name}"

    def fault(self, name: str) -> Fault | None:
        """The fault of that name, if it befalls this request."""
        return next((one for one in self.faults if one.name == name), None)
