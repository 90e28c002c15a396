"""Which columns hold what is sensitive, and what may not be made of them: keys and paths are recorded in clear.

A column is sensitive when a sensitive variable is made of it. An address may be made of an id and a token: there, only
all of its columns together are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pictify_sync.core.template import VariableRule
from pictify_sync.manifest.context import Findings
from pictify_sync.manifest.expressions.language import Expression, column_in
from pictify_sync.yaml_reader import Path as Place

_ADDRESSES = ("image", "url")


@dataclass(frozen=True, slots=True)
class Secrecy:
    """The columns behind the sensitive variables of one manifest."""

    made_of: Mapping[str, frozenset[str]]  # sensitive variable -> columns
    addresses: frozenset[str]  # those that are addresses
    whole: bool  # one is made of the row itself

    @property
    def columns(self) -> frozenset[str]:
        """Every column behind a sensitive variable."""
        return frozenset[str]().union(*self.made_of.values())

    def cells(self, row: Mapping[str, object]) -> Iterator[object]:
        """Return what a row holds that may stand in no message."""
        columns = row.keys() if self.whole else self.columns
        yield from (row[name] for name in columns if name in row)

    def shown_by(self, names: frozenset[str]) -> Iterator[tuple[str, str]]:
        """Return (column, sensitive variable) of what a text made of these columns would show."""
        for variable, columns in sorted(self.made_of.items()):
            if variable not in self.addresses or columns <= names:
                yield from ((column, variable) for column in sorted(columns & names))


def secrecy(parts: Sequence[tuple[Place, Expression]], rules: Mapping[str, VariableRule]) -> Secrecy:
    """Find out what the sensitive variables among the expressions are made of."""
    made: dict[str, frozenset[str]] = {}
    whole = False
    for place, expression in parts:
        name = str(place[1]) if place[0] == "variables" else ""
        if name in rules and rules[name].sensitive:
            made[name] = made.get(name, frozenset()) | expression.names | expression.optional
            whole |= expression.whole
    return Secrecy(made, frozenset(name for name in made if rules[name].type in _ADDRESSES), whole)


def check_secrecy(
    found: Secrecy, parts: Sequence[tuple[Place, Expression]], findings: Findings, columns: Sequence[str]
) -> set[Place]:
    """Refuse keys and output paths that show what is sensitive, and warn of other variables; give what is refused.

    `columns` are those of the rows, where they can be known before.
    """
    if not found.made_of:
        return set()
    every = frozenset(columns).union(*found.made_of.values())
    free = [name for name in columns if not any(found.shown_by(frozenset([name])))]
    example = next((name for name in free if name.lower() in ("id", "key", "number", "sku")), (free or ["id"])[0])
    refused: dict[tuple[Place, str], None] = {}
    for place, expression in parts:
        if place[0] == "where" or (place[0] == "variables" and place[1] in found.made_of):
            continue
        names = every if expression.whole else frozenset(expression.names | expression.optional)
        for column, variable in found.shown_by(names):
            offset = column_in(expression.text, column)
            if place[0] == "variables":
                message = f"'{place[1]}' shows the column '{column}' in clear, which the sensitive '{variable}' hides"
                findings.warning(place, message, f"declare '{place[1]}' sensitive too in the template", offset=offset)
            elif (place[:1], column) not in refused:
                refused[place[:1], column] = None
                what = "the key" if place[0] == "key" else "the output path"
                message = f"{what} is made of the column '{column}', which the sensitive variable '{variable}' hides"
                hint = f"{place[0]}s are recorded and shown: make it of another column, such as {{{{ {example} }}}}"
                hint += "" if example in free else ", and add that column to the rows"
                findings.error(place, message, hint, offset=offset)
    return {place for place, _ in refused}
