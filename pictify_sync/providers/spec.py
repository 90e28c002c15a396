"""What a provider is, in one frozen value: `ProviderSpec`. Each provider's folder has one, `SPEC` in its `spec.py`.

Importing this module and those is cheap, since `plan` does: models, clients and servers are imported by the functions
that need them. This module must not know any provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pictify_sync.core.abilities import WebhookFormat
from pictify_sync.core.health import Check
from pictify_sync.core.model import Capabilities, ProviderFacts
from pictify_sync.core.ports import Clock, Provider
from pictify_sync.credentials import KeyForm

if TYPE_CHECKING:
    from pydantic import BaseModel, SecretStr

Model = Callable[[], "type[BaseModel]"]  # imports the model when it is needed


@dataclass(frozen=True, slots=True)
class Connection:
    """What a provider is connected with; each takes what concerns it."""

    settings: Any  # of `providers.<name>`: an instance of the spec's settings model
    capabilities: Capabilities  # with what live checks found out and the settings' limits
    project: Path = Path()  # folder that paths in the settings are relative to
    key: SecretStr | None = None  # from `key_variable`
    base_url: str = ""  # from `url_variable`, else `url`; may have a path
    allow_hosts: tuple[str, ...] = ()  # hosts that pictures may come from, and downloads
    clock: Clock | None = None  # None: the machine's own


@dataclass(frozen=True, slots=True)
class Scratch:
    """How to draw previews: the provider's settings with its server on a folder that is thrown away."""

    settings: Any
    workers: int  # render processes; 0: one per core
    seconds: float  # for one picture


@dataclass(frozen=True, slots=True)
class Server:
    """A server of an API that can run on its own: `serve --api`."""

    api: str  # name of the API that it serves
    serve: Callable[[Connection, Path, Mapping[str, Any], Callable[[str], None]], None]
    # connection, folder, options of the command line, who is told the URL. Ends at a signal; raises UsageError.
    options: Callable[[], Sequence[Callable[[Any], Any]]] = tuple  # click options of `serve`, as decorators


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """Everything that may be known of a provider elsewhere. The first argument of most functions is its settings."""

    name: str  # in manifests, settings and records
    title: str  # in sentences
    settings: Model  # of `providers.<name>` in the settings file; a subclass of `providers.limits.Limits`
    options: Model  # of a manifest's `options`
    capabilities: Callable[[Any], Capabilities]  # settings -> what it declares, without the settings' own limits
    connect: Callable[[Connection], Provider]  # raises UsageError, ProviderError
    media: Sequence[str] = ("png", "jpeg", "webp")  # names of the formats it makes
    variants: str = "layout"  # what a variant of a template is called; "": every template has exactly one
    embedded: Callable[[Any], bool] = lambda settings: False  # noqa: ARG005 - works in this process, and stops with it
    billed: Callable[[Any], bool] = lambda settings: True  # noqa: ARG005 - its renders cost something
    templates_are_private: bool = False  # it holds the templates that were pushed from here, and no others

    # Where an account is reached
    key_variable: str = ""  # of the environment, with the secret; "": there is none
    key_form: KeyForm | None = None  # by which a key is taken out of any text; None: it has no form of its own
    url_variable: str = ""  # of the environment, with another base URL; "": there is no other
    url: str = ""  # the vendor's base URL

    # Where a server is embedded
    engine: Callable[[Any, Sequence[str]], str] = lambda settings, families: ""  # noqa: ARG005 - its identity
    fonts: Callable[[Any], Sequence[str]] = lambda settings: ()  # noqa: ARG005 - families tried after a template's own
    folders: Callable[[Any], Sequence[str]] = lambda settings: ()  # noqa: ARG005 - of its own, below the project
    purge: Callable[[Connection, float], int] | None = None  # drops what ended before a time; gives files removed
    scratch: Callable[[Any, Path], Scratch] | None = None  # None: it draws no previews

    # What it may have beside
    remedies: Mapping[str, str] = field(default_factory=dict)  # failure code -> cause, and what to do
    webhooks: Callable[[Any, str], WebhookFormat] | None = None  # settings, another header or "" -> how they are read
    checks: Callable[[Connection], Iterator[Check]] | None = None  # of `doctor`; never raises for what is wrong
    server: Server | None = None
    former: Mapping[str, str] = field(default_factory=dict)  # setting of the top level before -> field of `settings`

    def facts(self, settings: Any) -> ProviderFacts:
        """What holds of the provider with these settings."""
        return ProviderFacts(self.embedded(settings), self.billed(settings), self.templates_are_private)
