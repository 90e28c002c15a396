"""The use case `doctor --live`: a few pictures rendered on purpose, to find out which dialect a service speaks.

At most `MAX_RENDERS` pictures can be billed. That is durable before the first POST leaves, and what it came to at the
end, so that a crash in between costs nothing but those pictures. They are made from a template of their own, which is
removed at the end; one that a killed check left behind is taken up by the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Protocol, TypeVar

from pictify_sync.core.abilities import LiveCheck, RenderLookup, TemplateLibrary
from pictify_sync.core.collect import wire_digest
from pictify_sync.core.dialect import MAX_RENDERS
from pictify_sync.core.entries import DialectFacts, Probed
from pictify_sync.core.fingerprint import canonical, digest
from pictify_sync.core.media import PNG
from pictify_sync.core.model import DEFAULT_LAYOUT, Origin
from pictify_sync.core.outcomes import (
    Accepted,
    BatchRequest,
    Failed,
    InDoubt,
    NotSent,
    Outcome,
    Refused,
    Rendered,
)
from pictify_sync.core.ports import Provider
from pictify_sync.core.template import LayoutSize, TemplateSource, VariableRule
from pictify_sync.errors import Interrupted, ProviderError, UsageError
from pictify_sync.workflows.apply.session import Session
from pictify_sync.workflows.batches import finished

NAME = "pictify-sync doctor"  # of the template that is made, used and removed
HTML = "<!doctype html><html><body><p>{{title}}</p></body></html>"
SIDE = 64  # pixels
UNKNOWN = "pictify_sync_unknown"  # a variable that the template does not declare
DEADLINE = 180.0  # seconds for one batch
LOOKS = 3  # at the look-up, which may lag
SENDS = 3  # of one POST that certainly did nothing
LONGEST_WAIT = 60.0  # seconds that a refusal may ask for
NEWEST = 300  # templates among which one of a killed check is looked for

T = TypeVar("T")


class Account(Provider, LiveCheck, RenderLookup, TemplateLibrary, Protocol):
    """What a provider must offer for a live check."""


@dataclass(frozen=True, slots=True)
class Explored:
    """What a live check found and what it cost, in pictures."""

    facts: DialectFacts | None  # None: nothing was found out
    billed_min: int
    billed_max: int
    notes: tuple[str, ...]  # what stood in the way


def probe(session: Session, provider: str, service: str) -> Explored:
    """Find out and record which dialect a provider speaks at a service.

    Raises UsageError when the provider cannot be asked, ProviderError when nothing could be rendered there.
    """
    connected = session.ports.provider(provider)
    if not (
        isinstance(connected, LiveCheck)
        and isinstance(connected, RenderLookup)
        and isinstance(connected, TemplateLibrary)
    ):
        raise UsageError(f"the provider {provider} has no live check")
    check = _Check(session, connected, session.ports.new_attempt(), _template(connected))
    try:
        begun = Probed(check.run, provider, service, None, 0, MAX_RENDERS, session.now())
        session.commit(lambda: (begun,))
        facts = None
        try:
            facts = check.explore()
        except ProviderError as error:
            check.notes.append(error.message)
        finally:
            ended = replace(begun, facts=facts, billed_min=check.least, billed_max=check.most, at=session.now())
            session.commit(lambda: (ended,))
    finally:
        check.safely(partial(connected.delete_template, check.uid), False)
    return Explored(facts, check.least, check.most, tuple(check.notes))


def _template(account: Account) -> str:
    """Make the template, or take up the one that a killed check left."""
    listed = islice(account.list_templates(), NEWEST)
    left = next((one.uid for one in listed if one.name == NAME), None)
    rules = (VariableRule("title"),)
    name = digest(HTML)
    sizes = {DEFAULT_LAYOUT: LayoutSize(SIDE, SIDE)}
    source = TemplateSource(NAME, "", HTML, sizes, rules, name, {DEFAULT_LAYOUT: name}, Origin("", 0))
    return account.push_template(source, left)


@dataclass(frozen=True, slots=True)
class _Sent:
    """One picture that was asked for."""

    request: BatchRequest
    batch_id: str


@dataclass(slots=True)
class _Check:
    """One live check under way."""

    session: Session
    account: Account
    run: str
    uid: str  # of its template
    least: int = 0  # pictures certainly billed
    most: int = 0  # pictures possibly billed
    notes: list[str] = field(default_factory=list)

    def explore(self) -> DialectFacts | None:
        """Render, with a variable too many, then the same once more under the same key; look at every answer."""
        takes_unknown: bool | None = None
        sent = self._send(self._request({UNKNOWN: "1"}))
        if sent is None:  # perhaps for the unknown variable
            takes_unknown, sent = False, self._send(self._request({}))
        if sent is None:
            return None
        again = self.safely(partial(self._send, sent.request, sent.batch_id), None)
        honours = None if again is None else again.batch_id == sent.batch_id
        outcome = self._wait(sent)
        if again is not None and not honours:
            self.safely(partial(self._wait, again), None)
        if takes_unknown is None and outcome is not None:
            takes_unknown = isinstance(outcome, Rendered)
            if not takes_unknown and (plain := self._send(self._request({}))) is not None:
                sent, outcome = plain, self._wait(plain)
        if not isinstance(outcome, Rendered):
            return None
        shape = self.account.results_shape(sent.batch_id)
        if shape is None:
            self.notes.append("the results contain no picture")
            return None
        facts = DialectFacts(shape.name, shape.urls, shape.names_layouts, honours, takes_unknown)
        unknown: tuple[bool | None, bool | None] = (None, None)
        listed, with_variables = self.safely(partial(self._look_up, sent.request), unknown)
        return replace(facts, look_up=listed, look_up_tells_variables=with_variables)

    def _look_up(self, request: BatchRequest) -> tuple[bool | None, bool | None]:
        """Whether renders are listed, and with the variables that went into them."""
        wanted, listed = wire_digest(request.variable_sets[0]), False
        for look in range(LOOKS):
            if look:
                self._pause()
            rows = self.account.listed_renders(self.uid)
            if rows is None:
                break
            listed = listed or rows > 0
            if rows and any(one.variables == wanted for one in self.account.found_renders(self.uid, 0.0)):
                return True, True
        return listed, False

    def _request(self, more: dict[str, str]) -> BatchRequest:
        values = {"title": f"{self.run} {self.most}", **more}
        key = digest(f"{self.session.store.lineage} {self.run} {canonical(values)}")
        return BatchRequest(self.uid, (values,), (DEFAULT_LAYOUT,), PNG.name, "{}", key)

    def _send(self, request: BatchRequest, known: str = "") -> _Sent | None:
        """Ask for one picture; None when it was refused for what it is. `known`: the batch of an equal request.

        Raises ProviderError when nothing more should be asked for.
        """
        for _ in range(SENDS):
            assert self.most < MAX_RENDERS, "a live check renders no more"
            self.most += 1
            found = self.account.submit(request)
            if isinstance(found, InDoubt):
                raise ProviderError(f"it is not known whether a picture was rendered: {found.detail}")
            if not isinstance(found, Accepted) or found.batch_id == known:
                self.most -= 1
            match found:
                case Accepted(batch_id):
                    return _Sent(request, batch_id)
                case NotSent(detail):
                    self.notes.append(detail)
                    self._pause()
                case Refused(code, message, retry_after=None):
                    self.notes.append(f"refused: {code}: {message}")
                    if found.stops_run or found.template_missing:
                        raise ProviderError("the service refuses to render for this account")
                    return None
                case Refused(retry_after=seconds):
                    self._pause(seconds or 0.0)
        raise ProviderError("the service accepts no batch now")

    def _wait(self, sent: _Sent) -> Outcome | None:
        """Poll until the batch has ended; one that does not is cancelled."""
        clock = self.session.ports.clock
        deadline = clock.monotonic() + DEADLINE

        def pause(seconds: float | None) -> None:
            self._pause(seconds or 0.0)
            if clock.monotonic() >= deadline:
                self.account.cancel(sent.batch_id)
                raise ProviderError(f"the batch {sent.batch_id} did not end within {DEADLINE:g} s")

        report = finished(self.account, sent.batch_id, (1, (DEFAULT_LAYOUT,)), pause)
        outcome = report.outcomes.get((0, DEFAULT_LAYOUT))
        if isinstance(outcome, Failed):
            self.notes.append(f"not rendered: {outcome.code}: {outcome.message}")
        if outcome is None:
            self.notes.append(f"the service no longer knows the batch {sent.batch_id}")
        self.least += isinstance(outcome, Rendered)
        return outcome

    def _pause(self, seconds: float = 0.0) -> None:
        if self.session.ports.stop():
            raise Interrupted("stopped by the user")
        if seconds > LONGEST_WAIT:
            raise ProviderError(f"the service asks to wait {seconds:g} s")
        self.session.ports.clock.sleep(max(seconds, self.account.capabilities().poll_seconds))

    def safely(self, call: Callable[[], T], otherwise: T) -> T:
        """What a call gives; a note when it could not be made."""
        try:
            return call()
        except ProviderError as error:
            self.notes.append(error.message)
            return otherwise
