"""From rows to items: one variable set with its key and output paths, in the order of the manifest.

An item is what all layouts of a row share, so its variables are made and digested once. What a row gets wrong is told
with the row's place; the other rows go on. This module must not know other manifests, or how items are kept.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pictify_sync.core.fingerprint import canonical, digest, keyed_digest
from pictify_sync.core.template import VariableRule
from pictify_sync.errors import InputError, Problem, Severity
from pictify_sync.manifest import outputs as paths
from pictify_sync.manifest.context import Findings, ReadContext
from pictify_sync.manifest.expressions.language import column_in, holds_expressions
from pictify_sync.manifest.expressions.operations import MissingColumn
from pictify_sync.manifest.expressions.programs import Program, compiled
from pictify_sync.manifest.forms import normal_text
from pictify_sync.manifest.places import Problems, Unusable, sha256
from pictify_sync.manifest.prepare import Prepared
from pictify_sync.manifest.rows.number_forms import LostForms, text_variables
from pictify_sync.manifest.rows.sources import Row, as_row
from pictify_sync.manifest.walking import ENDINGS
from pictify_sync.redaction import HIDDEN, Redactor
from pictify_sync.validation import nearest
from pictify_sync.yaml_reader import Path as Place
from pictify_sync.yaml_reader import Spot

FILE = "$file"
SENSITIVE = "$sensitive"

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,199}\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "text": (str, int, float),
    "image": (str,),
    "color": (str,),
    "url": (str,),
    "date": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_NO_PICTURE, _BAD_PICTURE = "pictures that do not exist", "pictures that are refused"
_COMPARED = re.compile(r"'(\S+)' not supported between instances of '(\w+)' and '(\w+)'")  # Python's words
_KINDS = {
    "str": "a text",
    "int": "a number",
    "float": "a number",
    "bool": "a truth value",
    "list": "a list",
    "dict": "a mapping",
    "NoneType": "a null value",
}
_MAX_ABSENT = 1_000  # different absent columns that are told
_HINTS = {
    "number": "use | int or | float",
    "boolean": "compare it, as in {{ sold == 'yes' }}",
    "array": "use | split(',')",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a manifest in all its layouts."""

    key: str  # the item's part of the asset keys
    variables: str  # canonical JSON, local pictures and sensitive values replaced
    digest: str  # of the variables
    outputs: tuple[str, ...]  # one per layout, NFC
    file: str  # of the row
    spot: Spot  # of the row
    secrets: Mapping[str, Any]  # sensitive values in clear: never kept


@dataclass(slots=True)
class Expansion:
    """Expands one prepared manifest. Problems are gathered; of a row with a problem only key and outputs are given."""

    prepared: Prepared
    context: ReadContext
    problems: Problems
    _files: dict[str, object] = field(default_factory=dict)  # local picture -> its canonical value
    _absent: dict[tuple[Place, str], list[Any]] = field(default_factory=dict)  # expression, column -> [first row, rows]
    _singles: list[tuple[Place, Program]] = field(default_factory=list)  # each expression alone, once one failed
    _place: tuple[str, int, int] = ("", 0, 0)  # of the row at hand
    _row: Row = field(default_factory=dict)  # the row at hand
    _hidden: Redactor | None = None  # of that row; None: not needed yet

    def __iter__(self) -> Iterator[Item]:
        program, forms = self.prepared.program, self._forms()
        for file, spot, row in self._rows():
            self._place, self._row, self._hidden = (file, *spot), row, None
            try:
                made = program(row)
                if forms is not None and made is not None:
                    forms.look(file, row, made)
                item = None if made is None else self._item(*made)
            except Exception as error:  # an expression on strange data may raise anything: it is told
                item = self._diagnose(row, error)
            if item is not None:
                yield item
        self._tell_absent()
        if forms is not None:
            forms.tell(self.problems)

    def _forms(self) -> LostForms | None:
        """What looks for numbers that lose their form; None for rows that are not YAML."""
        rows, columns = self.prepared.rows, defaultdict[str, set[str]](set)
        if rows is not None and rows.path.suffix.lower() not in ENDINGS:
            return None
        for place, part in self.prepared.parts:
            columns[str(place[1] if len(place) > 1 else place[0])] |= part.names | part.optional
        names = text_variables(self.prepared.loaded.model, self.prepared.template)
        known = {name: is_sensitive for name, is_sensitive in names.items() if name in self.prepared.variables}
        return LostForms(known, {name: frozenset(used) for name, used in columns.items()})

    def _rows(self) -> Iterator[tuple[str, Spot, Row]]:
        loaded = self.prepared.loaded
        file, given = loaded.document.file, loaded.model.rows
        if self.prepared.rows is None:
            assert not isinstance(given, str)
            spots = loaded.document.item_spots.get("rows", [])
            for spot, value in zip(spots, given, strict=True):
                if row := as_row(value, (file, *spot), self._tell_row):
                    yield file, spot, row
            return
        try:
            for spot, row in self.prepared.rows.read(self._tell_row):
                yield self.prepared.rows.file, spot, row
        except InputError as error:
            self.problems.extend(error)

    def _tell_row(self, problem: Problem) -> None:
        self.problems.add(problem, "rows that cannot be read")

    def _tell(self, message: str, hint: str = "", *, kind: str = "", warning: bool = False) -> None:
        severity = Severity.WARNING if warning else Severity.ERROR
        if self.prepared.secrets:  # whatever it is about, a row's problem shows nothing that the row hides
            message, hint = self._redactor().clean(message), self._redactor().clean(hint)
        self.problems.add(Problem(*self._place, message, hint, severity), kind or message)

    def _redactor(self) -> Redactor:
        if self._hidden is None:
            given = [self.prepared.loaded.model.variables[name] for name in self.prepared.secrets]
            self._hidden = Redactor([*self.prepared.secrecy.cells(self._row), *_constants(given)])
        return self._hidden

    def _item(self, key: str, values: dict[str, Any], outputs: tuple[str, ...]) -> Item | None:
        before = self.problems.errors
        fit = self._fit(key, outputs)
        for rule in self.prepared.checked:
            self._check(rule, values[rule.name])
        for name in self.prepared.pictures:
            values[name] = self._picture(values[name])
        secrets = {name: values[name] for name in self.prepared.secrets}
        for name, raw in secrets.items():
            values[name] = {SENSITIVE: keyed_digest(self.context.sensitive_key or b"", canonical(raw))}
        variables = canonical(values)
        if '"$' in variables:
            self._refuse_marks(values)
        if fit is None or self.problems.errors > before:
            return self._bare(key, fit)
        file, line, column = self._place
        return Item(key, variables, digest(variables), fit, file, (line, column), secrets)

    def _fit(self, key: str, outputs: tuple[str, ...]) -> tuple[str, ...] | None:
        """Report a key and of output paths that are not valid; return the paths in NFC when all are."""
        before = self.problems.errors
        if not _KEY.match(key):
            hint = "use letters, digits and . _ ~ -, beginning with a letter or digit; or | slug"
            self._tell(f"the key {key[:80]!r} is not a valid key", hint, kind="keys that are not valid")
        outputs = tuple(map(paths.normal, outputs))
        for output in outputs:
            if fault := paths.fault(output):
                self._tell(f"the output path {output[:120]!r} {fault}", kind="output paths that are not valid")
        return outputs if self.problems.errors == before else None

    def _bare(self, key: str, outputs: tuple[str, ...] | None) -> Item | None:
        """Return what can be compared with other rows, of a row that has been told to be wrong."""
        file, line, column = self._place
        if not _KEY.match(key):
            return None
        alone = tuple(f"\0{line}:{column}:{number}" for number in range(len(self.prepared.specs)))  # meets no other
        return Item(key, "{}", "", alone if outputs is None else outputs, file, (line, column), {})

    def _check(self, rule: VariableRule, value: Any) -> None:
        if value is None or value == "":
            if rule.required:
                message = f"the required variable '{rule.name}' is empty"
                self._tell(message, "fill it, or leave the row out with 'where'")
            return
        allowed = _TYPES.get(rule.type, (object,))
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed and rule.type in _TYPES):
            shown = "its value" if rule.sensitive else repr(value)[:60]
            message = f"the variable '{rule.name}' is of type {rule.type}, which {shown} is not"
            self._tell(message, _HINTS.get(rule.type, ""), kind=f"values of a wrong type for '{rule.name}'")
        elif rule.max_length and isinstance(value, str) and len(value) > rule.max_length:
            message = f"the variable '{rule.name}' has {len(value)} characters, at most {rule.max_length} are allowed"
            self._tell(message, f"use | truncate({rule.max_length})", kind=f"values too long for '{rule.name}'")

    def _picture(self, value: Any) -> object:
        if not isinstance(value, str) or not value or _SCHEME.match(value):
            return value
        if value not in self._files:
            self._files[value] = self._local_file(value)
        return self._files[value]

    def _local_file(self, value: str) -> object:
        is_remote = not self.context.facts(self.prepared.specs[0].provider).embedded
        if is_remote and self.context.local_pictures == "refuse":
            message = f"the local picture {value[:120]!r} is not sent to a provider"
            self._tell(message, "see the setting local_pictures", kind=_BAD_PICTURE)
            return value
        try:
            path = self.context.beside(self.prepared.loaded.path.parent, value)
            name = normal_text(path.relative_to(self.context.project).as_posix())
            return {FILE: name, "sha256": sha256(path)}
        except FileNotFoundError:
            self._tell(f"no such picture: {value[:120]}", "its render will fail", kind=_NO_PICTURE, warning=True)
        except Unusable as error:
            self._tell(f"the picture {value[:120]!r} {error}", kind=_BAD_PICTURE)
        return value

    def _refuse_marks(self, values: Mapping[str, Any]) -> None:
        ours = {*self.prepared.secrets, *self.prepared.pictures}
        for name, value in values.items():
            if name not in ours and isinstance(value, dict) and (FILE in value or SENSITIVE in value):
                self._tell(f"the variable '{name}' has a name starting with '$', which is reserved")

    def _diagnose(self, row: Row, error: Exception) -> Item | None:
        """Find the expressions that fail on a row, tell of each at the row's place, and give what is left of it."""
        failed: set[Place] = set()
        given: dict[Place, list[Any]] = {}
        if not self._singles:
            self._singles = [(place, compiled(part.node)) for place, part in self.prepared.parts]
        for place, program in self._singles:
            if place not in failed:
                try:
                    value = program(row)
                    canonical(value).encode()
                    given.setdefault(place, []).append(value)
                except Exception as failure:  # whatever it is, it is the row's
                    failed.add(place)
                    self._tell_failure(place, row, failure)
            if failed & {("where",), ("key",)}:
                return None
        if not failed:
            self._tell(str(error)[:200], getattr(error, "hint", ""))
            return None
        key, outputs = given["key",][0], () if ("output",) in failed else tuple(given["output",])
        fit = self._fit(key, outputs)
        return self._bare(key, fit or None)

    def _tell_failure(self, place: Place, row: Row, failure: Exception) -> None:
        name = ".".join(map(str, place))
        part = dict(self.prepared.parts)[place]
        hides = bool(part.whole or self.prepared.secrecy.columns & (part.names | part.optional))
        if isinstance(failure, MissingColumn) and len(self._absent) < _MAX_ABSENT:
            absent = failure.name if not hides or failure.name in part.text else HIDDEN  # it may be a cell's value
            self._absent.setdefault((place, absent), [*self._place[:2], list(row), 0])[3] += 1
            return
        message, hint = str(failure)[:200], getattr(failure, "hint", "")
        if isinstance(failure, UnicodeEncodeError):
            message = "half of a surrogate pair is not text"
        elif isinstance(failure, ValueError):
            message = "not a number that JSON can hold"
        elif isinstance(failure, TypeError):
            if compared := _COMPARED.match(message):
                sign, one, other = compared.groups()
                message = f"{_KINDS.get(one, one)} and {_KINDS.get(other, other)} cannot be compared by '{sign}'"
            hint = hint or "use | int, | float or | string to compare like with like"
        if self.prepared.secrets and (hides or (len(place) > 1 and place[1] in self.prepared.secrets)):
            message = "the expression fails on this row (its value is sensitive)"
        self._tell(f"{name}: {message}", hint, kind=f"failures of '{name}'")

    def _tell_absent(self) -> None:
        """Report absent columns once per expression, however many rows lack them."""
        findings = Findings(self.prepared.loaded.document, self.problems)
        parts = dict(self.prepared.parts)
        for (place, name), (file, line, columns, count) in self._absent.items():
            more = f" and {count - 1:,} more row{'s'[: count - 2]}" if count > 1 else ""
            is_column = name in parts[place].names | parts[place].optional
            there = f"; there are: {', '.join(columns[:12])}" if is_column else ""
            hint = nearest(name, columns if there else ()) or f"use | default('') if it may be absent{there}"
            message = f"no {'column' if there else 'part'} '{name}' in {file}:{line}{more}"
            findings.error(place, message, hint, offset=column_in(parts[place].text, name))
        findings.flush()
        self._absent.clear()


def _constants(values: Iterable[Any]) -> Iterator[Any]:
    """Yield the values that no expression makes, those inside lists and mappings too."""
    for value in values:
        if isinstance(value, list | dict):
            yield from _constants(value.values() if isinstance(value, dict) else value)
        elif not (isinstance(value, str) and holds_expressions(value)):
            yield value
