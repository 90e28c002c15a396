"""Numbers of YAML that texts show otherwise than they were written: told once a variable, with a count of rows.

This module must not know how rows are read, or what else is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pictify_sync.errors import Problem, Severity
from pictify_sync.manifest.context import Findings
from pictify_sync.manifest.expressions.operations import text
from pictify_sync.manifest.places import Problems
from pictify_sync.manifest.rows.sources import Row
from pictify_sync.manifest.schema import AssetsManifest, TemplateManifest
from pictify_sync.scalars import Written, WrittenFloat, WrittenInt, shown

if TYPE_CHECKING:
    from pictify_sync.manifest.templates import Template

_KINDS = (WrittenInt, WrittenFloat)


def text_variables(model: AssetsManifest, template: Template) -> Mapping[str, bool]:
    """Return the variables that are shown as text, and whether each is sensitive; of a uid those that are known."""
    rules = template.rules
    known = [name for name in model.variables if name in rules or template.source is not None]
    return {
        name: name in rules and rules[name].sensitive
        for name in known
        if name not in rules or rules[name].type == "text"
    }


def check_constants(model: AssetsManifest, template: Template, findings: Findings) -> None:
    """Report numbers among the values of `variables` themselves."""
    for name, is_sensitive in text_variables(model, template).items():
        for value in _lost(model.variables[name]):
            findings.warning(("variables", name), *_words(name, value, shown(value), is_sensitive=is_sensitive))


def check_defaults(model: TemplateManifest, findings: Findings) -> None:
    """Report numbers among the defaults of a template's texts."""
    for name, rule in model.variables.items():
        for value in _lost(rule.default) if rule.type == "text" else ():
            words = _words(name, value, shown(value), is_sensitive=rule.sensitive)
            findings.warning(("variables", name, "default"), *words)


def _lost(value: object) -> Iterator[Written]:
    """Yield the numbers that lose their form in a value, at any depth."""
    if isinstance(value, _KINDS):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _lost(item)


@dataclass(slots=True)
class LostForms:
    """Looks at rows one by one, and tells at the end."""

    names: Mapping[str, bool]  # text variables, and whether they are sensitive
    columns: Mapping[str, frozenset[str]]  # of rows, by the variable whose expressions name them; also of key, output
    _found: dict[str, tuple[Problem, int]] = field(default_factory=dict)

    def look(self, file: str, row: Row, made: tuple[str, Mapping[str, Any], Sequence[str]]) -> None:
        """Look at a row and what was made of it: key, variables, output paths."""
        key, values, outputs = made
        lost = [(column, found) for column, value in row.items() for found in _lost(value)]
        for name, is_sensitive in self.names.items():
            value = values[name]
            if isinstance(value, str):
                self._look_in(name, file, lost, value, is_sensitive=is_sensitive)
            elif (one := next(_lost(value), None)) is not None:
                self._note(name, file, one, _words(name, one, shown(one), is_sensitive=is_sensitive))
        if lost:
            self._look_in("key", file, lost, key)
            self._look_in("output", file, lost, "\n".join(outputs))

    def _look_in(
        self, name: str, file: str, lost: Sequence[tuple[str, Written]], made: str, *, is_sensitive: bool = False
    ) -> None:
        """Look for numbers inside a text that was made of them."""
        for column, value in lost:
            plain = text(value)
            if column in self.columns.get(name, ()) and plain != value.written and plain in made:
                self._note(name, file, value, _words(name, value, plain, is_sensitive=is_sensitive))

    def _note(self, name: str, file: str, value: Written, words: tuple[str, str]) -> None:
        first = Problem(file, *value.spot, *words, Severity.WARNING)
        known, count = self._found.get(name, (first, 0))
        self._found[name] = known, count + 1

    def tell(self, problems: Problems) -> None:
        """Report each variable once."""
        for first, count in self._found.values():
            more = f", and so in {count - 1:,} more row{'s'[: count - 2]}" if count > 1 else ""
            message = f"{first.message}{more}"
            problems.add(Problem(first.file, first.line, first.column, message, first.hint, Severity.WARNING))
        self._found.clear()


def _words(name: str, value: Written, plain: str, *, is_sensitive: bool) -> tuple[str, str]:
    if is_sensitive:
        return f"a number loses its form in '{name}'", "put quotes around it"
    written = value.written[:60]
    return f"{written} is a number, which '{name}' shows as {plain[:60]}", f"put quotes around it: '{written}'"
