"""The versions that the action installs, from those that are installed here: python -m tests.action.constraints."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.docs.pages import ROOT

FILE = ROOT / "action/constraints.txt"
EXTRAS = ("fonts", "emoji", "objects", "review")
HEAD = """\
# Versions that the action installs. Written by `python -m tests.action.constraints` from a tested environment.
"""


class NotInstalled(SystemExit):
    """An extra is missing here, so that its versions are not known."""


def page() -> str:
    """The whole file. Raises NotInstalled."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, str] = {}
    wanted = [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]
    for requirement in _needed(wanted, frozenset()):
        _walk(requirement, found)
    return HEAD + "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))


def _walk(requirement: Requirement, found: dict[str, str]) -> None:
    name = canonicalize_name(requirement.name)
    if name in found and not requirement.extras:
        return
    try:
        package = distribution(name)
    except PackageNotFoundError as error:
        raise NotInstalled(f"{error}: install the extras {', '.join(EXTRAS)} first") from None
    assert requirement.specifier.contains(package.version, prereleases=True), f"{requirement}, not {package.version}"
    found[name] = package.version
    for one in _needed(package.requires or (), frozenset(requirement.extras)):
        _walk(one, found)


def _needed(requires: Iterable[str], extras: frozenset[str]) -> Iterator[Requirement]:
    for text in requires:
        requirement = Requirement(text)
        wanted = [{"extra": extra} for extra in extras] or [{"extra": ""}]
        if requirement.marker is None or any(requirement.marker.evaluate(one) for one in wanted):
            yield requirement


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
