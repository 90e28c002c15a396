"""Keys and passwords, taken out of whatever text they may have come into. Below everything that writes text.

What is known to be secret goes in all of its forms; what only looks like a key goes where it stands as one: a sha256
has the same 64 hex characters as some keys. What a provider's keys look like, it says itself (`hide_form`).
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "***"
SHORTEST = 8  # characters of a secret; what is shorter stands in too many places
VARIABLES = ["PICTIFY_WEBHOOK_SECRET", "PICTIFY_INBOX_TOKEN", "PICTIFY_SERVE_TOKENS"]
# With addresses that may have a password.
URL_VARIABLES = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]

BEARERS = re.compile(r"(bearer(?:\s+|%20|\+))[^\s\"',;]{8,}", re.IGNORECASE)
USERINFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/?#@\"'<>]+(?::[^\s/?#\"'<>]*)?@", re.IGNORECASE)
NAMED = r"(?:authorization|(?:api|access)?[_ -]?key)"  # a new secret of a webhook is shown, once
HEX = re.compile(rf"({NAMED}[\"']?\s*(?:[:=]|\bis\b)?\s*[\"']?)[0-9a-f]{{64}}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class KeyForm:
    """How the keys of a provider are known by their form alone."""

    pattern: str  # regular expression, whatever the case
    marks: tuple[str, ...]  # texts in lower case, one of which is in every such key: most texts have none


_FORMS: dict[KeyForm, re.Pattern[str]] = {}


def hide_form(form: KeyForm) -> None:
    """Count what has this form among the secrets, as long as the process lives."""
    _FORMS.setdefault(form, re.compile(form.pattern, re.IGNORECASE))


def hide_variable(name: str, *, is_url: bool = False) -> None:
    """Count what this environment variable holds, or an address's password in it, among the secrets from now on."""
    variables = URL_VARIABLES if is_url else VARIABLES
    if name not in variables:
        variables.append(name)


def forms(secret: str) -> list[str]:
    """A secret as it may come back: in clear, for URLs, in JSON, in base64 (wherever in it); the longest first."""
    raw = secret.encode("utf-8", "surrogateescape")
    shifted = [b64encode(b" " * shift + raw).decode().rstrip("=")[shift * 2 :][:-2] for shift in range(3)]
    url = quote(raw, safe="")
    found = {secret, url, quote(raw), re.sub("%..", lambda one: one[0].lower(), url), *shifted}
    found |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    found |= {one.translate(str.maketrans("+/", "-_")) for one in shifted}
    return sorted((one for one in found if len(one) >= SHORTEST), key=len, reverse=True)


def without_forms(text: str) -> str:
    """Take out keys that are known by their form alone."""
    lower = text.lower()
    for form, pattern in _FORMS.items():
        if any(mark in lower for mark in form.marks):
            text = pattern.sub(HIDDEN, text)
    return text


def without_keys(text: str) -> str:
    """Take out what has the form of a key, and passwords in URLs."""
    text, lower = without_forms(text), text.lower()
    if "bearer" in lower:
        text = BEARERS.sub(rf"\1{HIDDEN}", text)
    if "key" in lower or "authorization" in lower:
        text = HEX.sub(rf"\1{HIDDEN}", text)
    return USERINFO.sub(rf"\1{HIDDEN}@", text) if "@" in text else text


def hide(text: str, environ: Mapping[str, str]) -> str:
    """Take out keys, and every secret that came by these environment variables."""
    return hider(environ)(text)


def hider(environ: Mapping[str, str]) -> Callable[[str], str]:
    """The same for many texts: the environment is read once."""
    known = _known(tuple(environ.get(name, "") for name in VARIABLES), tuple(_passwords(environ)))

    def hidden(text: str) -> str:
        for one in known:
            text = text.replace(one, HIDDEN)
        return without_keys(text)

    return hidden


@lru_cache(maxsize=8)
def _known(values: Iterable[str], passwords: Iterable[str]) -> tuple[str, ...]:
    secrets = [one for value in values for one in (value, *value.split()) if len(one.strip()) >= SHORTEST]
    return tuple(form for secret in [*secrets, *passwords] for form in forms(secret.strip()))


def _passwords(environ: Mapping[str, str]) -> Iterable[str]:
    for name in URL_VARIABLES:
        try:
            password = urlsplit(environ.get(name, "")).password
        except ValueError:
            continue
        if password:
            yield from (password, unquote(password))
