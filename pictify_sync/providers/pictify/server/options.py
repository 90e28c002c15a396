"""Everything that can be chosen of one server, and which of it a single request may change for a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

from pictify_sync.providers.pictify.server.batches.dialects import PROJECTIONS
from pictify_sync.providers.pictify.server.clock import SteadyClock
from pictify_sync.rendering.engines.pool import PageRenderer

MEGABYTE = 1_000_000
DAY = 86_400.0  # seconds

Post = Callable[[str, bytes, Mapping[str, str]], int]  # URL, body, headers -> HTTP status; OSError: no answer
Fetch = Callable[[str], bytes]  # URL -> body; ValueError: not allowed; OSError: not reachable


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan allows. None: no limit is documented."""

    items: int  # of a batch; 0: no batches
    open_batches: int | None
    requests_per_minute: int | None
    monthly: int | None = None  # items of batches in 30 days


# Two tables are published, and contradict each other. Requests a minute: Pictify, Rate limits, which lacks `basic`.
PLAN_TABLES: Mapping[str, Mapping[str, Plan]] = {
    "batch": {  # Pictify, Batch operations: Limits; `basic` is that of the usage page
        "free": Plan(10, 1, 60),
        "basic": Plan(50, 1, 60, 500),
        "pro": Plan(100, 3, 300),
        "business": Plan(1_000, 10, 1_000),
        "enterprise": Plan(10_000, None, None),
    },
    "usage": {  # Pictify, Dashboard: Usage; batches open at once are those of the other page
        "free": Plan(0, 1, 60),
        "basic": Plan(50, 1, 60, 500),
        "pro": Plan(250, 3, 300),
        "business": Plan(1_000, 10, 1_000),
        "enterprise": Plan(10_000, None, None),
    },
}
PLANS = PLAN_TABLES["batch"]


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that can be chosen of one server."""

    renderer: Callable[[], PageRenderer]  # makes a worker's renderer; picklable
    workers: int = 0  # render processes; 0: one per core
    render_seconds: float = 30.0  # limit for one picture
    start_seconds: float = 120.0  # that a worker may need until its engine and fonts are ready
    dialect: str = "nested"  # of the results: a name of dialects.PROJECTIONS
    errors: str = "plain"  # error bodies: plain, problem (RFC 9457)
    rate_headers: str = "documented"  # documented (429s of pictures), off, legacy (always; Retry-After with a 429)
    plan: str = ""  # a name of PLANS; "": no limit but `max_items`
    plan_table: str = "batch"  # a name of PLAN_TABLES
    quota: int | None = None  # pictures that a team may render, ever
    quota_status: int = 429  # that refuses what is over the quota: 429, as the newest docs say, or 402
    max_items: int = 100  # of a batch without a plan (Pictify, Batch render: maxItems 100)
    max_html: int = 500_000  # bytes (Pictify, Errors: TEMPLATE_TOO_LARGE over 500 KB)
    max_body: int = 64 * MEGABYTE  # bytes of a request
    tokens: Sequence[str] = field(default=(), repr=False)  # bearer keys that are used twice; none: any
    strict_keys: bool = False  # take only keys of the forms that the vendor gives out, or did
    teams: bool = False  # each key sees its own templates, batches and subscriptions only
    idempotent: bool = False  # honour Idempotency-Key (the vendor's render routes do not)
    key_seconds: float | None = None  # that such a key is remembered (documented: 24 hours); None: for ever
    keep_values: bool = True  # of finished items: the dialect `legacy` and `GET /render` show them
    webhook_variables: bool = True  # in `render.*` events (guides: yes; concept page: no)
    batch_events: bool = True  # send `batch.*` events (webhooks page: yes; OpenAPI: no)
    lookup_variables: bool = False  # in the rows of `GET /render` (not published)
    expiry: float | None = None  # seconds after which the results of an ended batch are gone (documented: 7 days)
    batch_seconds: float = 0.0  # that a batch takes at least, by `now`: its items show up evenly
    faults: bool = False  # honour X-Emulator-Fault and X-Emulator-Set, and offer /emulator/...
    rules: Sequence[str] = ()  # faults that befall every request: faults.parse
    loopback_targets: bool = False  # webhooks may go to http on loopback
    public_url: str = ""  # of this server, ending in /; "": as a request names it
    damaged: str = "the database of the server is damaged"  # what is said of it then
    poll_hint: bool = False  # add `retryAfter` to the results of an open batch
    preload: Sequence[str] = ()  # modules that every worker needs, imported once
    now: Callable[[], float] = field(default_factory=SteadyClock)
    pool: Callable[[], Executor] | None = None  # None: processes of this machine
    fetch: Fetch | None = None  # for `url` of POST /image; None: refused
    post: Post | None = None  # sends webhooks; None: by HTTP, to public addresses

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is one of {', '.join(sorted(known))}")
        if self.quota_status not in (402, 429):
            raise ValueError("quota_status is 402 or 429")

    @property
    def allowed(self) -> Plan:
        """The limits in force."""
        return PLAN_TABLES[self.plan_table][self.plan] if self.plan else Plan(self.max_items, None, None)


CHOICES: Mapping[str, frozenset[str]] = {
    "dialect": frozenset(PROJECTIONS),
    "errors": frozenset({"plain", "problem"}),
    "rate_headers": frozenset({"documented", "off", "legacy"}),
    "plan_table": frozenset(PLAN_TABLES),
    "plan": frozenset({"", *PLANS}),
}
SWITCHES = frozenset({"idempotent", "webhook_variables", "batch_events", "lookup_variables"})
NUMBERS = frozenset({"batch_seconds", "expiry"})


def switched(options: Options, words: str) -> Options:
    """Change some options: `dialect=names, idempotent=yes, expiry=60`. Raises ValueError for what cannot be changed."""
    changes: dict[str, object] = {}
    for word in filter(None, (one.strip() for one in words.split(","))):
        name, _, value = word.partition("=")
        if name in CHOICES:
            changes[name] = value
        elif name in SWITCHES and value in ("yes", "no"):
            changes[name] = value == "yes"
        elif name in NUMBERS:
            changes[name] = float(value)
        else:
            raise ValueError(f"{word}: cannot be changed")
    return replace(options, **changes)  # type: ignore[arg-type]
