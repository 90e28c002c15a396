"""HTTP clients that follow the proxy variables of the environment, and say in words what is wrong with them.

httpx fails on a network in NO_PROXY (`fd00::/8`), and on a SOCKS proxy without a package of its own, with errors that
name no variable. Must not know whom a client talks to.
"""

from __future__ import annotations

from typing import Any
from urllib.request import getproxies

import httpx

from pictify_sync.errors import UsageError


def client(**options: Any) -> httpx.Client:
    """Make a client as `httpx.Client` does. Raises UsageError when a proxy of the environment cannot be used."""
    try:
        return httpx.Client(**options)
    except (ImportError, ValueError, httpx.InvalidURL):
        if "transport" in options:  # no proxy has to do with it
            raise
        context = httpx.create_ssl_context()
        return httpx.Client(mounts=_mounts(context), verify=context, trust_env=False, **options)


def direct_client(**options: Any) -> httpx.Client:
    """Make a client that goes by no proxy, and trusts SSL_CERT_FILE and SSL_CERT_DIR as every client does."""
    if options.get("transport") is None:
        options["verify"] = httpx.create_ssl_context()
    return httpx.Client(trust_env=False, **options)


def goes_by_proxy(url: httpx.URL) -> bool:
    """Whether the environment names a proxy for this URL, and does not leave its host out, by the rules of httpx."""
    found = getproxies()
    left_out = [name.strip().lower() for name in found.get("no", "").split(",") if name.strip()]
    if not (found.get(url.scheme) or found.get("all")) or "*" in left_out:
        return False
    return not any(_matches(name, url) for name in left_out)


def _matches(name: str, url: httpx.URL) -> bool:
    """Whether an entry of NO_PROXY means the host of a URL: itself, and what is below it."""
    scheme, _, rest = name.rpartition("://")
    if scheme and scheme not in ("all", url.scheme):
        return False
    host, _, port = rest.rpartition(":") if rest.count(":") == 1 else (rest, "", "")
    if port and port != str(url.port or {"http": 80, "https": 443}.get(url.scheme)):
        return False
    own = url.host.lower()
    return own == host.strip("[]") or (not scheme and own.endswith(f".{host.lstrip('.')}"))


def header_value(secret: str, what: str) -> str:
    """Give a secret that can be sent in a header. Raises UsageError, which does not show it."""
    for place, character in enumerate(secret, 1):
        if not "!" <= character <= "~":
            kind = "a space or line break" if character.isspace() else "a character that is not ASCII"
            kind = kind if character.isprintable() or character.isspace() else "a control character"
            hint = "copy it again: it consists of letters, digits and signs on one line"
            raise UsageError(f"{what} has {kind} at position {place}", hint=hint)
    return secret


def _mounts(context: Any) -> dict[str, httpx.BaseTransport | None]:
    found = getproxies()
    mounts: dict[str, httpx.BaseTransport | None] = {}
    for scheme in ("http", "https", "all"):
        if address := found.get(scheme):
            mounts[f"{scheme}://"] = _proxied(f"{scheme.upper()}_PROXY", address, context)
    for name in map(str.strip, found.get("no", "").split(",")):
        if name == "*":
            return {}
        pattern = name if "://" in name else f"all://[{name}]" if name.count(":") > 1 else f"all://*{name}"
        if name and _is_pattern(pattern):
            mounts[pattern] = None
    return mounts


def _is_pattern(pattern: str) -> bool:
    """Whether httpx can compare hosts with it. A network is none: only names and addresses are left out by name."""
    try:
        httpx.URL(pattern)
    except httpx.InvalidURL:
        return False
    return True


def _proxied(variable: str, address: str, context: Any) -> httpx.BaseTransport:
    try:
        return httpx.HTTPTransport(proxy=address if "://" in address else f"http://{address}", verify=context)
    except ImportError:
        hint = f"install it: python -m pip install 'httpx[socks]'; or unset {variable}"
        raise UsageError(f"{variable} names a SOCKS proxy, which needs a package that is missing", hint=hint) from None
    except (ValueError, httpx.InvalidURL):
        hint = f"write it as http://host:port, or unset {variable}"
        raise UsageError(f"{variable} is not the address of a proxy that can be used", hint=hint) from None
