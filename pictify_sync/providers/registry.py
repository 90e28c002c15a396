"""Providers by name.

The built-in ones are known without reading package metadata, and what they are capable of without importing httpx.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pictify_sync.core.model import Capabilities
from pictify_sync.core.ports import Clock, Provider
from pictify_sync.errors import UsageError

if TYPE_CHECKING:
    from pydantic import SecretStr

GROUP = "pictify_sync.providers"  # entry points: name -> a function from ProviderOptions to Provider
VENDOR_URL = "https://api.pictify.io"

# What each built-in provider is capable of unless the settings say otherwise.
BUILT_IN: Mapping[str, tuple[str, Capabilities]] = {
    "local": (
        "pictify_sync.providers.local.connect",
        Capabilities(
            max_open=4,
            poll_seconds=0.05,
            honours_idempotency_key=True,
            key_seconds=None,
            retention_seconds=None,
            billed=False,
            embedded=True,
        ),
    ),
    "pictify": (
        "pictify_sync.providers.pictify.connect",
        Capabilities(max_open=1, requests_per_minute=60),
    ),
}

SCHEMA_ITEMS = 100  # items that the API's schema takes whatever the plan (Pictify, Batch render: maxItems)
# plan -> (items in a batch, batches open at once, requests a minute) (Pictify, Batch operations: Limits; Rate limits)
PLANS: Mapping[str, tuple[int, int | None, int | None]] = {
    "free": (10, 1, 60),
    "basic": (50, 1, 60),  # Pictify, Dashboard: Usage, where `free` has no batches and `pro` has 250
    "pro": (100, 3, 300),
    "business": (1_000, 10, 1_000),
    "enterprise": (10_000, None, None),
}


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """Everything that a provider may need to know; each takes what concerns it."""

    folder: Path = Path(".pictify-sync/local")  # where the embedded server keeps its batches and files
    engine: str = "takumi"  # of the embedded server
    families: tuple[str, ...] = ()  # font families that the embedded engine loads
    allow_hosts: tuple[str, ...] = ()  # hosts that pictures may come from, and downloads
    workers: int = 0  # render processes of the embedded server; 0: one per core
    render_timeout: float = 30.0  # seconds for one picture of the embedded server
    api_key: SecretStr | None = None
    base_url: str = VENDOR_URL  # may have a path
    limits: Mapping[str, Any] = field(default_factory=dict)  # `plan`, and fields of Capabilities over it
    clock: Clock | None = None  # None: the machine's own


class Connect(Protocol):
    """The shape of a provider's entry point."""

    def __call__(self, options: ProviderOptions) -> Provider: ...


def limited(capabilities: Capabilities, limits: Mapping[str, Any]) -> Capabilities:
    """Put the plan, and over it the settings' limits, on what a provider declares. UsageError: a name that is none."""
    known = {one.name for one in fields(Capabilities)}
    given = {name: value for name, value in limits.items() if name != "plan"}
    if unknown := sorted(set(given) - known):
        raise UsageError(f"unknown limits: {', '.join(unknown)}", hint=f"known are {', '.join(sorted(known))}")
    return replace(_planned(capabilities, limits.get("plan")), **given)


def _planned(capabilities: Capabilities, plan: str | None) -> Capabilities:
    """What a plan allows; more items than the API's schema takes are left to whoever knows that it takes them."""
    if plan is None:
        return capabilities
    if plan not in PLANS:
        raise UsageError(f"there is no plan {plan!r}", hint=f"known are {', '.join(PLANS)}")
    items, opened, requests = PLANS[plan]
    return replace(capabilities, max_items=min(items, SCHEMA_ITEMS), max_open=opened, requests_per_minute=requests)


def capabilities(name: str, options: ProviderOptions) -> Capabilities:
    """What the provider allows and promises; no connection is made for a built-in one. UsageError: no such provider."""
    if name in BUILT_IN:
        return limited(BUILT_IN[name][1], options.limits)
    provider = connect(name, options)
    try:
        return provider.capabilities()
    finally:
        provider.close()


def instead_of(name: str) -> tuple[str, ...]:
    """Give the names of all providers, sorted, where this one is none of them; () where it is."""
    if name in BUILT_IN:
        return ()
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow, and not needed for the built-in ones

    known = {one.name for one in entry_points(group=GROUP)} | set(BUILT_IN)
    return () if name in known else tuple(sorted(known))


def connect(name: str, options: ProviderOptions) -> Provider:
    """Open a provider; close it at the end. Raises UsageError when there is none of that name."""
    if name in BUILT_IN:
        opened: Provider = import_module(BUILT_IN[name][0]).connect(options)
        return opened
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow, and not needed for the built-in ones

    found = entry_points(group=GROUP, name=name)
    if others := instead_of(name):
        raise UsageError(f"there is no provider {name!r}", hint=f"known are {', '.join(others)}")
    made: Provider = next(iter(found)).load()(options)
    return made
