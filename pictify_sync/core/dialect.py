"""What a live check finds out about the dialect that a service speaks, and what follows for its capabilities.

A live check renders a few pictures on purpose (`doctor --live`). Its facts belong to one provider at one service; they
rank above what a provider declares, and below what the user's settings say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from pictify_sync.core.entries import Probed
from pictify_sync.errors import UsageError

MAX_RENDERS = 4  # pictures that one live check may be billed for
STALE_SECONDS = 30 * 86_400.0  # after which facts are worth another check
_NO_URL = "the base URL is not a URL"


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts that a live check recorded, as they stand now."""

    probed: Probed
    here: bool  # they were found at the service that is in use; only then they count
    stale: bool  # found too long ago; they count all the same


def promised(probes: Iterable[Probed], provider: str, service: str) -> Mapping[str, object]:
    """Fields of Capabilities that are known of a provider at a service; none where nobody looked."""
    facts = next((one.facts for one in probes if (one.provider, one.service) == (provider, service)), None)
    if facts is None:
        return {}
    found: dict[str, object] = {
        "urls_in_results": facts.urls_in_results,
        "honours_idempotency_key": facts.honours_idempotency_key,
        "can_find": facts.look_up_tells_variables,
    }
    if facts.urls_in_results:
        # Pictures whose layout is not named can only be told apart when a batch has one layout.
        found["many_layouts"] = facts.names_layouts
    return {name: value for name, value in found.items() if value is not None}


def standing(probes: Iterable[Probed], services: Mapping[str, str], now: float) -> tuple[Standing, ...]:
    """How the facts stand at `now` (epoch seconds), where `services` are those in use, by provider."""
    return tuple(
        Standing(
            one,
            here=services.get(one.provider, one.service) == one.service,
            stale=now - datetime.fromisoformat(one.at).timestamp() > STALE_SECONDS,
        )
        for one in probes
    )


def service_of(base_url: str, variable: str) -> str:
    """A base URL as the name of a service: no user, query or fragment, no slash at the end.

    `variable`: of the environment, which may have set it. Raises UsageError when it is no URL.
    """
    try:
        parts = urlsplit(base_url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise UsageError(_NO_URL, hint=f"check {variable}") from None
    if not host:
        raise UsageError(_NO_URL, hint=f"check {variable}")
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
