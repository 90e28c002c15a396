"""What reading manifests needs from outside, and how findings in a manifest become problems with a place.

This module must not know the language itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pictify_sync.core.model import ProviderFacts
from pictify_sync.core.ports import TemplateInspector
from pictify_sync.core.template import TemplateRecord
from pictify_sync.errors import Problem, Severity
from pictify_sync.manifest.pinpoint import Scalars
from pictify_sync.manifest.places import Problems, admit, beside
from pictify_sync.yaml_reader import Document
from pictify_sync.yaml_reader import Path as Place

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class ReadContext:
    """Everything that shapes how manifests are read. None of it may be set by a manifest, except the provider."""

    project: Path  # folder of the settings file; nothing outside it is read
    root: Path  # the configured folder of manifests
    inspector: TemplateInspector
    provider: str  # of manifests that name none
    options: Callable[[str], type[BaseModel]]  # of a provider: the model of `options`, which may ask for the `format`
    formats: Callable[[str], Sequence[str]]  # names of those that a provider makes; of all for one that there is not
    facts: Callable[[str], ProviderFacts] = lambda name: ProviderFacts()  # noqa: ARG005 - of a provider
    instead_of: Callable[[str], Sequence[str]] = lambda name: ()  # noqa: ARG005 - provider -> (), else those there are
    engine: Callable[[str, Sequence[str]], str] = lambda name, families: ""  # noqa: ARG005 - identity of an embedded server
    fonts: Callable[[str], Sequence[str]] = lambda name: ()  # noqa: ARG005 - its families after those of a template
    sensitive_key: bytes | None = b""  # for the keyed digests of sensitive values; None: there may be none
    templates: Mapping[tuple[str, str], TemplateRecord] = field(
        default_factory=dict
    )  # (provider, name): known to state
    max_assets: int = 1_000_000
    local_pictures: Literal["inline", "refuse"] = "inline"  # for remote providers
    glyphs: bool = True  # False: do not look for characters that no font has
    cwd: Path = field(default_factory=Path.cwd)  # problems show paths relative to it
    kept: Sequence[Path] = ()  # resolved: the state, and other files of our own that are no input
    settings_name: str = "pictify-sync.yaml"  # of a settings file: never a manifest
    over_all: bool = False  # True: folders below that have settings of their own are read all the same

    def asked(self, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the model of manifests asks for about one that was not checked yet."""
        named = manifest.get("provider")
        return {"formats": self.formats(named if isinstance(named, str) and named else self.provider)}

    def beside(self, folder: Path, name: str) -> Path:
        """Resolve a file named in a manifest of a folder. Raises Unusable where it may not be read."""
        return beside(folder, name, self.project, self.kept)

    def admit(self, path: Path, real: Path) -> None:
        """Check where a path lies, and what it leads to. Raises Unusable where it may not be read."""
        admit(path, real, self.project, self.kept)


@dataclass(slots=True)
class Findings:
    """What is wrong in one manifest, by path inside its document; places are looked up once, at the end."""

    document: Document
    problems: Problems
    _found: list[tuple[Place, int, str, str, Severity]] = field(default_factory=list)

    def error(self, place: Place, message: str, hint: str = "", *, offset: int = -1) -> None:
        """Note what stops the command; `offset` is that of a character in the text at the place, -1: its start."""
        self._found.append((place, offset, message, hint, Severity.ERROR))

    def warning(self, place: Place, message: str, hint: str = "", *, offset: int = -1) -> None:
        """Note what is only told."""
        self._found.append((place, offset, message, hint, Severity.WARNING))

    def flush(self) -> None:
        """Turn what was found since into problems."""
        places = self.document.places([place for place, *_ in self._found]) if self._found else {}
        scalars = Scalars(self.document) if any(offset >= 0 for _, offset, *_ in self._found) else None
        for place, offset, message, hint, severity in self._found:
            line, column = places[place][2:]
            if scalars is not None and offset >= 0:
                line, column = scalars.spot(place, (line, column), offset)
            self.problems.add(Problem(self.document.file, line, column, message, hint, severity))
        self._found.clear()
