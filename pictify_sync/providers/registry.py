"""Providers by name: the built-in ones, and those of installed packages.

The built-in ones are known without reading package metadata, and what they are capable of without importing httpx.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pictify_sync import credentials
from pictify_sync.core.model import Capabilities
from pictify_sync.errors import ProviderError, UsageError
from pictify_sync.providers.spec import ProviderSpec

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "pictify_sync.providers"  # entry points: name -> a ProviderSpec of that name
BUILT_IN = ("local", "pictify")


def names() -> tuple[str, ...]:
    """All providers there are, sorted."""
    return tuple(sorted({*BUILT_IN, *_installed()}))


def instead_of(name: str) -> tuple[str, ...]:
    """The names of all providers, sorted, where this one is none of them; () where it is."""
    return () if name in BUILT_IN or name in _installed() else names()


@cache
def find(name: str) -> ProviderSpec:
    """The provider of that name. Raises UsageError when there is none, ProviderError when its package is broken."""
    if name in BUILT_IN:
        built_in: ProviderSpec = import_module(f"pictify_sync.providers.{name}.spec").SPEC
        return _registered(built_in)
    if name not in _installed():
        raise UsageError(f"there is no provider {name!r}", hint=f"known are {', '.join(names())}")
    point = _installed()[name]
    package = point.dist.name if point.dist else point.value
    hint = f"update or remove it: python -m pip uninstall {package}"
    try:
        found = point.load()
    except Exception as error:  # whatever a package raises as it is imported
        what = f"the package {package} of the provider {name} cannot be imported: {type(error).__name__}: {error}"
        raise ProviderError(what, hint=hint) from error
    if not isinstance(found, ProviderSpec) or found.name != name:
        what = f"the package {package} registers no ProviderSpec of the name {name} as that provider"
        raise ProviderError(what, hint=hint)
    return _registered(found)


def capabilities(spec: ProviderSpec, settings: Any, known: Mapping[str, Any]) -> Capabilities:
    """What a provider declares, over it what is known from live checks, and over that the settings' limits."""
    return replace(spec.capabilities(settings), **{**known, **settings.given()})


def specs() -> Iterator[ProviderSpec]:
    """All providers there are, by name. Raises ProviderError at one whose package is broken."""
    return map(find, names())


def parts(mentioned: Iterable[str]) -> Mapping[str, ProviderSpec]:
    """The built-in providers, and those of the names that there are."""
    return {name: find(name) for name in (*BUILT_IN, *mentioned) if not instead_of(name)}


def serving(api: str) -> ProviderSpec:
    """The provider that has a server of an API. Raises UsageError when none has."""
    servers = {one.server.api: one for one in specs() if one.server is not None}
    if api not in servers:
        raise UsageError(f"there is no server of the API {api!r}", hint=f"known are {', '.join(sorted(servers))}")
    return servers[api]


def server_options(api: str) -> Sequence[Callable[[Any], Any]]:
    """What decorates `serve` with the options of an API's server."""
    server = serving(api).server
    return () if server is None else server.options()


def able(preferred: str, has: Callable[[ProviderSpec], object]) -> ProviderSpec:
    """The preferred provider where it has an ability, else the first built-in one that has."""
    return next(one for one in (find(preferred), *map(find, BUILT_IN)) if has(one) is not None)


@cache
def _installed() -> Mapping[str, EntryPoint]:
    """Entry points by name; those of the built-in providers are ours."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow, and not needed for the built-in ones

    return {one.name: one for one in entry_points(group=GROUP) if one.name not in BUILT_IN}


def _registered(spec: ProviderSpec) -> ProviderSpec:
    """Have its keys taken out of whatever is written from now on."""
    if spec.key_variable:
        credentials.hide_variable(spec.key_variable)
    if spec.url_variable:
        credentials.hide_variable(spec.url_variable, is_url=True)
    if spec.key_form is not None:
        credentials.hide_form(spec.key_form)
    return spec
