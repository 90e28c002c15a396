"""What a provider may offer besides rendering batches: each a Protocol that is asked for with `isinstance`.

They are apart from the port `Provider`, so that a provider without them is a whole one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from pictify_sync.core.collect import FoundRender
from pictify_sync.core.outcomes import BatchRequest, InDoubt, NotSent, Outcome, Refused
from pictify_sync.core.ports import Delivery


@dataclass(frozen=True, slots=True)
class Made:
    """A synchronous render was answered: what became of each layout."""

    outcomes: Mapping[str, Outcome]


SingleResult = Made | Refused | NotSent | InDoubt


@runtime_checkable
class RenderLookup(Protocol):
    """Finds pictures that were rendered before."""

    def clock_ahead(self) -> float:
        """Seconds by which the provider's clock is ahead of ours; 0 when they agree as far as its answers tell."""
        ...

    def found_renders(self, template_uid: str, since: float) -> Iterator[FoundRender]:
        """Renders of a template since then (our clock), newest first; nothing where it cannot be looked up.

        Only rows that contain their variables are given. Raises ProviderUnavailable.
        """
        ...


@runtime_checkable
class SingleRender(Protocol):
    """Renders one picture at once, apart from batches."""

    def render_one(self, request: BatchRequest) -> SingleResult:
        """Render the only variable set of the request, and wait. Billed; sent at most once. Never raises for answers.

        Whoever calls it has written down before that it would.
        """
        ...


@runtime_checkable
class Instance(Protocol):
    """Is one of many servers of its kind: what it took, no other of them knows."""

    @property
    def instance(self) -> str:
        """Which one, for as long as its folder stays what it is; a copy of the folder is another."""
        ...


@runtime_checkable
class NamesBytes(Protocol):
    """Names what it rendered by its bytes, in a process of ours: what has that name needs no second look."""

    def sha256_in(self, url: str) -> str:
        """The sha256 in a URL of its own; "" where there is none, or nobody can vouch for it."""
        ...


def instance_of(provider: object) -> str:
    """Which of many servers a provider is; "" for a service that all runs share."""
    return provider.instance if isinstance(provider, Instance) else ""


@dataclass(frozen=True, slots=True)
class RemoteTemplate:
    """A row of the provider's list of templates."""

    uid: str
    name: str
    engine: str  # what draws it; "": not given
    width: int  # pixels; 0: not given
    height: int
    updated_at: str  # as the provider writes it: a hint only; "": not given


@runtime_checkable
class TemplateLibrary(Protocol):
    """Manages the templates of an account."""

    def list_templates(self) -> Iterator[RemoteTemplate]:
        """All templates, newest first, page by page."""
        ...

    def delete_template(self, uid: str) -> bool:
        """Remove it; False when it was not there."""
        ...


@dataclass(frozen=True, slots=True)
class Subscription:
    """A webhook subscription: one event, one target."""

    uid: str
    event: str
    target_url: str
    status: str  # active, paused, failed; "": not given
    template_uid: str = ""  # "": of any template
    failures: int = 0  # deliveries that failed, by the provider's count
    secret: str = field(default="", repr=False)  # only in the answer that made it; show it once, keep it nowhere


class WebhookFormat(Protocol):
    """How a provider signs its webhooks and what they say. Needs no connection."""

    @property
    def signature_header(self) -> str: ...

    @property
    def render_event(self) -> str:
        """The event that is sent for a picture that was rendered."""
        ...

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Iterable[str], now: float) -> str:
        """Check that the delivery was signed with one of the secrets, not too long before `now` (epoch seconds).

        Names of headers are in lower case. Returns the delivery's id, "" when it names none. Raises BadSignature.
        """
        ...

    def without_values(self, body: str) -> str:
        """Return what may be kept of a body: which variables are sensitive is not known where webhooks arrive.

        "" for a body by which no picture can be found.
        """
        ...

    def read(self, delivery: Delivery) -> FoundRender | None:
        """Return the picture that a delivery describes; None for one of another kind, or of another provider."""
        ...


@runtime_checkable
class Webhooks(Protocol):
    """Sends webhooks to the subscriptions of an account."""

    @property
    def webhook_format(self) -> WebhookFormat: ...

    def subscribe(self, event: str, target_url: str, template_uid: str = "") -> Subscription:
        """Make one; its secret is in this answer and in no other. Sent once. Raises ProviderError."""
        ...

    def subscriptions(self) -> Iterator[Subscription]:
        """All of them, page by page."""
        ...

    def unsubscribe(self, uid: str) -> bool:
        """Remove one; False when it was not there."""
        ...


@dataclass(frozen=True, slots=True)
class ResultsShape:
    """The shape of a batch's results."""

    name: str  # of the shape, as the provider's documentation has them; "": none of these
    urls: bool  # a picture in them has its URL
    names_layouts: bool  # each picture in them names its layout


@runtime_checkable
class LiveCheck(Protocol):
    """Describes the answers of its service, for `doctor --live`. Both are safe calls."""

    def results_shape(self, batch_id: str) -> ResultsShape | None:
        """The shape of a batch's results; None when there is nothing in them to tell. Raises ProviderError."""
        ...

    def listed_renders(self, template_uid: str) -> int | None:
        """How many renders of a template the newest page of the look-up has; None: there is no look-up.

        Raises ProviderUnavailable.
        """
        ...
