"""One assets manifest made ready: expressions checked and compiled, specs settled, the template's wishes looked up.

What can be told without reading rows is told here. This module must not know other manifests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pictify_sync.core.fingerprint import canonical, spec_digest
from pictify_sync.core.model import RenderSpec
from pictify_sync.core.template import VariableRule
from pictify_sync.errors import InputError, Problem
from pictify_sync.manifest.context import Findings, ReadContext
from pictify_sync.manifest.expressions import language as syntax
from pictify_sync.manifest.expressions import programs
from pictify_sync.manifest.expressions.language import Expression
from pictify_sync.manifest.expressions.operations import ExpressionError
from pictify_sync.manifest.expressions.programs import Program
from pictify_sync.manifest.loading import Loaded
from pictify_sync.manifest.places import MAX_ROWS, Problems, Unusable, require, shown
from pictify_sync.manifest.rows.number_forms import check_constants
from pictify_sync.manifest.rows.sources import RowsFile, other_sign, unknown_kind
from pictify_sync.manifest.schema import AssetsManifest
from pictify_sync.manifest.secrecy import Secrecy, check_secrecy, secrecy
from pictify_sync.manifest.templates import Template
from pictify_sync.validation import nearest, validate
from pictify_sync.yaml_reader import MovedDocument
from pictify_sync.yaml_reader import Path as Place

if TYPE_CHECKING:
    from pydantic import BaseModel

MAX_EXPRESSIONS = 2_000  # of one manifest
MAX_COMPARED = 100  # names that a nearest one is looked for among, or for


@dataclass(frozen=True, slots=True)
class Prepared:
    """A manifest ready to be expanded."""

    loaded: Loaded[AssetsManifest]
    rows: RowsFile | None  # None: inline
    program: Program  # row -> (key, variables, outputs), or None when `where` is false
    parts: Sequence[tuple[Place, Expression]]  # every expression, to tell which one failed
    template: Template
    specs: Sequence[RenderSpec]  # one per layout
    digests: Sequence[str]  # of the specs
    checked: Sequence[VariableRule]  # rules that a row can break
    pictures: Sequence[str]  # variables that may name a local file
    secrets: Sequence[str]  # variables kept as a keyed digest
    variables: frozenset[str]  # those that a row makes, what is wrong left out
    families: Sequence[str]  # fonts that a local engine may use, the template's first
    secrecy: Secrecy  # the columns behind `secrets`

    @property
    def name(self) -> str:
        """The first part of every asset's key."""
        return self.loaded.name


def prepare(
    loaded: Loaded[AssetsManifest], template: Template, context: ReadContext, problems: Problems
) -> Prepared | None:
    """Check and compile a manifest. None when its rows cannot be tried; the problems say why."""
    findings = Findings(loaded.document, problems)
    rows = _rows(loaded, context, findings)
    compiler = _Compiler(findings, loaded)
    provider = loaded.model.provider or context.provider
    if others := context.instead_of(provider):
        hint = nearest(provider, others) or f"there are: {', '.join(others)}"
        named = "" if loaded.model.provider else ", which the settings name"
        findings.error(("provider",), f"there is no provider {provider!r}{named}", hint)
    options = "{}" if others else _options(loaded, context.options(provider), problems)
    _check_layouts(loaded.model, template, findings)
    _check_variables(loaded.model, template, findings)
    _check_secrets(loaded.model, template, findings, context)
    check_constants(loaded.model, template, findings)
    findings.flush()
    if rows is not None:
        compiler.broken |= _check_columns(rows, compiler.parts, findings, problems)
    hidden = secrecy(compiler.parts, template.rules)
    compiler.broken |= check_secrecy(hidden, compiler.parts, findings, _columns(rows))
    program = compiler.program()
    findings.flush()
    is_readable = rows is not None or not isinstance(loaded.model.rows, str)
    if program is None or not is_readable:
        return None
    is_embedded = not others and context.facts(provider).embedded
    families = tuple(dict.fromkeys([*template.families, *context.fonts(provider)])) if is_embedded else ()
    engine = context.engine(provider, families) if is_embedded else ""
    specs = _specs(loaded.model, template, (provider, options, engine))
    rules = [template.rules[name] for name in compiler.variables if name in template.rules]
    return Prepared(
        loaded=loaded,
        rows=rows,
        program=program,
        parts=[part for part in compiler.parts if part[0][:2] not in compiler.broken],
        template=template,
        specs=specs,
        digests=tuple(map(spec_digest, specs)),
        checked=[rule for rule in rules if rule.type != "text" or rule.required or rule.max_length],
        pictures=[rule.name for rule in rules if rule.type == "image"],
        secrets=[rule.name for rule in rules if rule.sensitive],
        variables=frozenset(compiler.variables),
        families=families,
        secrecy=hidden,
    )


def _specs(model: AssetsManifest, template: Template, shared: tuple[str, str, str]) -> tuple[RenderSpec, ...]:
    provider, options, engine = shared
    return tuple(
        RenderSpec(provider, template.name, template.revision(layout), layout, model.format, options, engine)
        for layout in model.layouts
    )


def _options(loaded: Loaded[AssetsManifest], model: type[BaseModel], problems: Problems) -> str:
    """Check the options against the provider's model and return them as canonical JSON, without those that are null.

    `quality` at the top is the option of that name.
    """
    top, given = loaded.model.quality, dict(loaded.model.options)
    stands: dict[Place, Place] = {(): ("options",)}
    if top is not None and "quality" not in given:
        given["quality"], stands["quality",] = top, ("quality",)
    document = MovedDocument(loaded.document.file, loaded.document.text, given, stands=stands)
    found = validate(model, document, {"format": loaded.model.format})
    if isinstance(found, list):
        for problem in found:
            problems.add(problem)
        return "{}"
    if top is not None and top != given["quality"]:
        line, column = loaded.document.places([("quality",)])[("quality",)][2:]
        message = f"'quality' is {top} here and {given['quality']} in 'options'"
        problems.add(Problem(loaded.document.file, line, column, message, "remove one of the two"))
    return canonical(found.model_dump(mode="json", exclude_none=True))


def _rows(loaded: Loaded[AssetsManifest], context: ReadContext, findings: Findings) -> RowsFile | None:
    given = loaded.model.rows
    if not isinstance(given, str):
        return None
    try:
        path = require(context.beside(loaded.path.parent, given), MAX_ROWS)
    except Unusable as error:
        findings.error(("rows",), f"the file of rows {error}: {given[:200]}")
        return None
    except FileNotFoundError as error:
        findings.error(("rows",), f"no such file of rows: {given[:200]}", _near(Path(str(error))))
        return None
    message, hint = unknown_kind(path.suffix)
    if message:
        findings.error(("rows",), f"{message}: {given[:200]}", hint)
        return None
    return RowsFile(path, shown(path, context.cwd))


def _near(missing: Path) -> str:
    """Name the file beside a missing one whose name is most like it."""
    try:
        return nearest(missing.name, [entry.name for entry in missing.parent.iterdir()])
    except OSError:
        return ""


def _columns(rows: RowsFile | None) -> Sequence[str]:
    try:
        return (rows and rows.columns()) or ()
    except InputError:
        return ()


class _Compiler:
    """Collects the expressions of one manifest. What is `broken` is left out, so that the rest can be tried."""

    def __init__(self, findings: Findings, loaded: Loaded[AssetsManifest]) -> None:
        self.parts: list[tuple[Place, Expression]] = []
        self.findings = findings
        self.broken: set[Place] = {(name,) for name in loaded.missing}  # fields, and variables by name
        self.refused: set[Place] = set()
        self.full = False
        model = loaded.model
        self.key = self._parse(model.key, ("key",), {}, as_text=True)
        self.where = None if model.where is None else self._parse(model.where, ("where",), {})
        self.variables = {name: self._value(value, ("variables", name)) for name, value in model.variables.items()}
        known = {"key": self.key, "format": programs.literal(model.format), "manifest": programs.literal(loaded.name)}
        self.named = [{**known, "layout": programs.literal(layout)} for layout in model.layouts]
        self.outputs = [self._parse(model.output, ("output",), names, as_text=True) for names in self.named]

    def program(self) -> Program | None:
        """Compile everything into one function; None when there is nothing left to be tried."""
        if self.full or {("key",), ("where",)} & self.broken:
            return None
        for name in [name for name in self.variables if ("variables", name) in self.broken]:
            del self.variables[name]
        if ("output",) in self.broken:
            self.broken.remove(("output",))
            self.parts = [part for part in self.parts if part[0] != ("output",)]
            default = AssetsManifest.model_fields["output"].default
            self.outputs = [self._parse(default, ("output",), names, as_text=True) for names in self.named]
        node = programs.both(self.key, programs.mapping(self.variables), programs.both(*self.outputs))
        if self.where is not None:
            node = programs.when(self.where, node)
        try:
            return programs.compiled(node)
        except ExpressionError as error:
            self.findings.error((), str(error), error.hint)
            return None

    def _parse(self, text: str, place: Place, known: Mapping[str, Any], *, as_text: bool = False) -> Any:
        if len(self.parts) >= MAX_EXPRESSIONS:
            if not self.full:
                self.findings.error(place, f"more than {MAX_EXPRESSIONS:,} texts with expressions in one manifest")
            self.full = True
            return programs.literal("")
        try:
            expression = syntax.parse(text, known)
        except ExpressionError as error:
            if place not in self.refused:
                for one in (error, *error.others):
                    self.findings.error(place, str(one), one.hint, offset=one.offset)
            self.refused.add(place)
            self.broken.add(place[:2])
            self.parts.append((place, Expression(programs.literal(""), text, set(error.asked))))
            return programs.literal("")
        if as_text:
            expression.node = programs.text(expression.node)
        self.parts.append((place, expression))
        return expression.node

    def _value(self, value: Any, place: Place) -> Any:
        if isinstance(value, str):
            return self._parse(value, place, {}) if syntax.holds_expressions(value) else programs.literal(value)
        if isinstance(value, list):
            return programs.listing([self._value(item, (*place, number)) for number, item in enumerate(value)])
        if isinstance(value, dict):
            return programs.mapping({name: self._value(item, (*place, name)) for name, item in value.items()})
        if isinstance(value, float) and not float("-inf") < value < float("inf"):
            self.findings.error(place, "not a number that JSON can hold")
        return programs.literal(value)


def _check_layouts(model: AssetsManifest, template: Template, findings: Findings) -> None:
    if template.layouts is None:
        return
    for number, layout in enumerate(model.layouts):
        if layout not in template.layouts:
            hint = nearest(layout, template.layouts) or f"it has: {', '.join(template.layouts)}"
            findings.error(("layouts", number), f"the template '{template.name}' has no layout '{layout}'", hint)


def _check_variables(model: AssetsManifest, template: Template, findings: Findings) -> None:
    if template.used is None and not template.rules:
        return
    used = template.used or frozenset()
    wanted = used | template.rules.keys()
    unfilled, unused = wanted - model.variables.keys(), model.variables.keys() - wanted
    for name in sorted(unfilled):
        rule = template.rules.get(name, VariableRule(name))
        hint = nearest(name, unused if len(unused) <= MAX_COMPARED else ()) or f"add '{name}' to 'variables'"
        if rule.required:
            message = f"the template '{template.name}' requires the variable '{name}', which the manifest does not set"
            findings.error(("variables",), message, hint)
        elif not rule.default and name in used:
            findings.warning(
                ("variables",), f"the manifest does not set '{name}', which the template '{template.name}' uses", hint
            )
    for name in sorted(unused)[:MAX_COMPARED]:
        hint = nearest(name, unfilled) or nearest(name, wanted)
        findings.warning(
            ("variables", name), f"the template '{template.name}' does not use the variable '{name}'", hint
        )
    if (more := len(unused) - MAX_COMPARED) > 0:
        findings.warning(("variables",), f"and {more:,} more variables that the template does not use")


def _check_secrets(model: AssetsManifest, template: Template, findings: Findings, context: ReadContext) -> None:
    if context.sensitive_key is not None:
        return
    for name in sorted(name for name in model.variables if name in template.rules and template.rules[name].sensitive):
        message = f"'{name}' is sensitive, and there is no key to hide its values with"
        hint = "set PICTIFY_STATE_KEY, the same for all who use this state: openssl rand -hex 32"
        findings.error(("variables", name), message, hint)


def _check_columns(
    rows: RowsFile, parts: Sequence[tuple[Place, Expression]], findings: Findings, problems: Problems
) -> set[Place]:
    """Report absent columns of a CSV file; return the fields and variables that cannot do without them."""
    try:
        columns = rows.columns()
    except InputError as error:
        problems.extend(error)
        return {("key",)}
    if not columns:
        return set()
    told: set[tuple[Place, str]] = set()
    for place, expression in parts:
        for name in sorted((expression.names | expression.optional).difference(columns)):
            if (place, name) in told:
                continue
            told.add((place, name))
            message = f"no column '{name}' in {rows.file}"
            hint = nearest(name, columns) or f"there are: {', '.join(columns[:12])}"
            if sign := other_sign(columns):
                hint = f"separate the columns by commas, not by {sign!r}" + ", or call the file .tsv" * (sign == "\t")
            tell = findings.error if name in expression.names else findings.warning
            tell(place, message, hint, offset=syntax.column_in(expression.text, name))
    return {place[:2] for place, expression in parts if expression.names.difference(columns)}
