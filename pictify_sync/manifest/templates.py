"""Templates as manifests see them: those declared beside them, and those a provider is known to hold.

This module must not know rows, nor any engine: what html says is asked of the inspector.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from pictify_sync.core.fingerprint import canonical, digest
from pictify_sync.core.model import DEFAULT_LAYOUT, UNKNOWN_REVISION, Origin
from pictify_sync.core.ports import TemplateFacts, TemplateInspector
from pictify_sync.core.template import LayoutSize, TemplateRecord, TemplateSource, VariableRule
from pictify_sync.errors import Problem, Severity
from pictify_sync.manifest.context import Findings, ReadContext
from pictify_sync.manifest.forms import decode
from pictify_sync.manifest.loading import Loaded
from pictify_sync.manifest.mentions import find_reference
from pictify_sync.manifest.places import Problems, Unusable, read_bytes, read_picture, shown
from pictify_sync.manifest.rows.number_forms import check_defaults
from pictify_sync.manifest.schema import TemplateManifest, TemplateVariable
from pictify_sync.validation import nearest

_ABSENT = "which does not exist"
MAX_HTML = 500_000  # bytes of a template (Pictify, templates: 413 above 500 KB)


@dataclass(frozen=True, slots=True)
class Template:
    """What an assets manifest needs to know of its template."""

    name: str
    rules: Mapping[str, VariableRule]  # by variable
    layouts: Sequence[str] | None  # None: not known
    revisions: Mapping[str, str]  # layout -> revision; absent: not known
    used: frozenset[str] | None  # variables that the html uses; None: not known
    families: Sequence[str] = ()  # fonts that its css names
    source: TemplateSource | None = None  # None: not declared, the name is a uid

    def revision(self, layout: str) -> str:
        """Return the digest of what shapes a layout."""
        return self.revisions.get(layout, UNKNOWN_REVISION)


def observed(name: str, record: TemplateRecord | None, inspector: TemplateInspector) -> Template:
    """Return what state knows of a provider's template. One that is not html does not tell which variables it uses."""
    if record is None:
        return Template(name, {}, None, {}, None)
    rules = {rule.name: rule for rule in record.variables}
    used = frozenset(inspector.inspect(record.source).variables) if record.source else None
    return Template(name, rules, tuple(record.layouts) or None, record.revisions, used)


def declare(loaded: Loaded[TemplateManifest], context: ReadContext, problems: Problems) -> Template | None:
    """Read a declared template, its html and what that names.

    What is wrong with it is told, and what is known of it all the same is given, to check manifests against. None when
    there is no html.
    """
    findings = Findings(loaded.document, problems)
    source = _read_html(loaded, context, findings)
    if source is None:
        findings.flush()
        return None
    facts = context.inspector.inspect(source)
    html = _inline(loaded, source, facts, (context, findings))
    whole = facts if html == source else context.inspector.inspect(html)  # stylesheets name variables and fonts, too
    rules = _rules(loaded, whole, findings)
    findings.flush()
    file = shown((loaded.path.parent / loaded.model.html).resolve(), context.cwd)
    for problem in facts.problems:
        problems.add(replace(problem, file=file))
    template = _source(loaded, (source, html), rules)
    return Template(
        name=loaded.name,
        rules={rule.name: rule for rule in rules},
        layouts=tuple(template.layouts),
        revisions=template.revisions,
        used=frozenset(whole.variables),
        families=tuple(whole.families),
        source=template,
    )


def _read_html(loaded: Loaded[TemplateManifest], context: ReadContext, findings: Findings) -> str | None:
    name = loaded.model.html
    try:
        return decode(read_bytes(context.beside(loaded.path.parent, name), MAX_HTML))
    except FileNotFoundError:
        near = [path.name for path in loaded.path.parent.glob("*.html")] if "/" not in name else []
        findings.error(("html",), f"no such file: {name}", nearest(name, near))
    except Unusable as error:
        findings.error(("html",), f"{name} {error}")
    except UnicodeDecodeError as error:
        findings.error(("html",), f"{name} is not UTF-8: {error.reason}", "save the file as UTF-8")
    return None


def _inline(
    loaded: Loaded[TemplateManifest], html: str, facts: TemplateFacts, around: tuple[ReadContext, Findings]
) -> str:
    context, findings = around
    folder = Path(loaded.path.parent / loaded.model.html).parent
    missing: set[str] = set()
    sheets = {Path(loaded.model.html).name: html}  # where a file may be named

    def read(name: str) -> bytes | None:
        try:
            content = read_picture(context.beside(folder, name))
            if name.endswith(".css"):
                sheets[name] = content.decode("utf-8-sig", "replace")
            return content
        except FileNotFoundError:
            reason = _ABSENT
        except Unusable as error:
            reason = f"which {error}"  # it is there: no other name is meant
        if name not in missing:
            missing.add(name)
            _tell_missing(loaded, (name, reason), find_reference(name, sheets), (context, findings))
        return None

    return context.inspector.inline(html, read) if facts.files else html


def _tell_missing(
    loaded: Loaded[TemplateManifest],
    missing: tuple[str, str],
    spot: tuple[str, int, int] | None,
    around: tuple[ReadContext, Findings],
) -> None:
    """Report a file that a page or a stylesheet names, there where it does."""
    (name, reason), (context, findings) = missing, around
    folder = Path(loaded.path.parent / loaded.model.html).parent
    hint = _beside(folder / name) if reason == _ABSENT else ""
    if spot is None:
        findings.error(("html",), f"{loaded.model.html} names {name[:200]}, {reason}", hint)
        return
    file, line, column = spot
    named = shown(Path(os.path.normpath(folder / file)), context.cwd)
    findings.problems.add(Problem(named, line, column, f"this names {name[:200]}, {reason}", hint))


def _beside(path: Path) -> str:
    """Hint at the file of that folder that may have been meant."""
    try:
        return nearest(path.name, [one.name for one in islice(path.parent.iterdir(), 1_000)])
    except OSError:
        return ""


def _rules(loaded: Loaded[TemplateManifest], facts: TemplateFacts, findings: Findings) -> tuple[VariableRule, ...]:
    rules = []
    check_defaults(loaded.model, findings)
    for name, given in sorted(loaded.model.variables.items()):
        default = _default(given, findings, name)
        rules.append(VariableRule(name, given.type, given.required, given.max_length, default, given.sensitive))
        if name not in facts.variables and not any(p.severity is Severity.ERROR for p in facts.problems):
            hint = nearest(name, set(facts.variables) - set(loaded.model.variables))
            findings.warning(("variables", name), f"{loaded.model.html} does not use the variable '{name}'", hint)
    return tuple(rules)


def _default(given: TemplateVariable, findings: Findings, name: str) -> str:
    if "default" not in given.model_fields_set:
        return ""
    try:
        return canonical(given.default)
    except ValueError:
        findings.error(("variables", name, "default"), "not a value that JSON can hold")
        return ""


def _source(loaded: Loaded[TemplateManifest], html: tuple[str, str], rules: tuple[VariableRule, ...]) -> TemplateSource:
    model, (source, inlined) = loaded.model, html
    layouts = {DEFAULT_LAYOUT: LayoutSize(model.width, model.height)}
    layouts |= {key: LayoutSize(size.width, size.height, size.name) for key, size in sorted(model.layouts.items())}
    shaping = [[rule.name, rule.type, rule.default] for rule in rules]
    revisions = {
        key: digest(canonical(["revision", inlined, size.width, size.height, shaping])) for key, size in layouts.items()
    }
    sizes = {key: [size.width, size.height, size.name] for key, size in layouts.items()}
    every = [[rule.name, rule.type, rule.required, rule.max_length, rule.default, rule.sensitive] for rule in rules]
    return TemplateSource(
        name=loaded.name,
        provider="",  # set for each provider that its manifests use
        html=inlined,
        layouts=layouts,
        variables=rules,
        digest=digest(canonical(["template", loaded.name, inlined, sizes, every])),
        revisions=revisions,
        origin=Origin(loaded.document.file, 1),
        source=source,
    )
