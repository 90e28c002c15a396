"""Turning a running server's knobs from outside, for tests of clients: /emulator/..., only with the option `faults`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from pictify_sync.providers.pictify.server.clock import MovableClock
from pictify_sync.providers.pictify.server.faults import Rules, parse
from pictify_sync.providers.pictify.server.options import Options, switched
from pictify_sync.providers.pictify.server.wire import Answer, WireError, WireModel, checked

PATHS = ("/emulator/settings", "/emulator/clock")


class SettingsBody(WireModel):
    """What to change: words of X-Emulator-Set, and faults that befall every request from now on."""

    set: str = ""
    faults: str | None = None


class ClockBody(WireModel):
    """How far to go forward."""

    advance: Annotated[float, Field(ge=0, le=1e9)] = 0.0  # seconds


class Control:
    """The options in force, and the ways to change them."""

    def __init__(self, options: Options, moved: Callable[[], None]) -> None:
        self.options = options
        self.rules = Rules(parse(",".join(options.rules)))
        self._moved = moved  # called when the clock was moved

    def serve(self, path: str, body: dict[str, Any]) -> Answer:
        """Answer one of PATHS."""
        if path == PATHS[0]:
            return self._settings(checked(SettingsBody, body))
        clock = self.options.now
        if not isinstance(clock, MovableClock):
            raise WireError(400, "The server's clock cannot be moved")
        now = clock.advance(checked(ClockBody, body).advance)
        self._moved()
        return Answer({"now": now})

    def _settings(self, wanted: SettingsBody) -> Answer:
        try:
            options = switched(self.options, wanted.set)
            rules = self.rules if wanted.faults is None else Rules(parse(wanted.faults))
        except ValueError as error:
            raise WireError(400, str(error)) from None
        self.options, self.rules = replace(options), rules
        self._moved()
        return Answer({"set": wanted.set, "faults": [one.name for one in rules.faults]})
