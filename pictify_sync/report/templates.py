"""Template changes in words, with a unified diff of their html."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff

from pictify_sync.core.drift import CHANGED
from pictify_sync.core.template import LayoutSize, TemplateChange, TemplateRecord, TemplateSource, VariableRule
from pictify_sync.report.safe import safe
from pictify_sync.report.words import TEMPLATE_DRIFTS, Line, Tone, count

COMPARED = 2_000  # lines of html; more are not compared, for difflib's worst case is quadratic
_WIDTH = 160  # characters of one line of html


@dataclass(frozen=True, slots=True)
class TemplateView:
    """A template that would be pushed, or was found to differ."""

    name: str
    action: str
    facts: tuple[str, ...]  # of a new one what it is, of a known one what differs
    diff: tuple[Line, ...] = ()  # of its html
    more: int = 0  # lines that the diff leaves out
    provider: str = ""
    why: str = ""


def template_view(change: TemplateChange, most: int | None) -> TemplateView:
    """View a template's change, with at most so many lines of html that differ; None: all."""
    source, diff = change.source, list(_html_diff(change))
    shown = diff if most is None else diff[:most]
    why = _why(change.record, source) if change.record else "new"
    return TemplateView(
        safe(source.name),
        str(change.action),
        tuple(_changed_facts(change)),
        tuple(shown),
        len(diff) - len(shown),
        safe(source.provider),
        why,
    )


def _changed_facts(change: TemplateChange) -> Iterator[str]:
    """Yield sizes and number of variables of a new template; of a known one, which of them differ."""
    if change.record is None:
        yield _facts(change.source)
    else:
        facts = [*_layouts(change.record.layouts, change.source.layouts)]
        facts += _variables(change.record.variables, change.source.variables)
        yield from facts
        html = change.source.source or change.source.html
        if not facts and not change.record.drift and change.record.source.splitlines() == html.splitlines():
            yield "a stylesheet, picture or font that its html names changed"


def _html_diff(change: TemplateChange) -> Iterator[Line]:
    """Yield the unified diff of a known template's html; nothing of a new one."""
    source, record = change.source, change.record
    if record and record.drift == CHANGED:
        yield from _html(record.found, source.html, "at the provider")
    elif record:
        yield from _html(record.source, source.source or source.html, "recorded")


def _why(record: TemplateRecord, source: TemplateSource) -> str:
    """Describe who changed it."""
    there = TEMPLATE_DRIFTS[record.drift] if record.drift else ""
    here = "changed" if record.digest != source.digest or not there else ""
    return ", and ".join(text for text in (here, there) if text)


def _facts(source: TemplateSource) -> str:
    """Return sizes and the number of variables."""
    sizes = ", ".join(f"{safe(name)} {_size(size)}" for name, size in source.layouts.items())
    return f"{sizes}; {count(len(source.variables), 'variable')}"


def _size(size: LayoutSize | None) -> str:
    return f"{size.width}x{size.height}" if size else "(absent)"


def _layouts(old: Mapping[str, LayoutSize], new: Mapping[str, LayoutSize]) -> Iterator[str]:
    """Describe which layouts came, went or changed their size."""
    for name in sorted(old.keys() | new.keys()):
        before, after = _size(old.get(name)), _size(new.get(name))
        if before != after:
            yield f"layout {safe(name)}: {before} -> {after}"


def _variables(old: Iterable[VariableRule], new: Iterable[VariableRule]) -> Iterator[str]:
    """Describe which declared variables came, went or changed their rule."""
    before, after = {rule.name: rule for rule in old}, {rule.name: rule for rule in new}
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"variable {safe(name)}: {_rule(before.get(name))} -> {_rule(after.get(name))}"


def _rule(rule: VariableRule | None) -> str:
    """Show a variable's rule on one line; a sensitive variable's default stays hidden."""
    if rule is None:
        return "(absent)"
    words = [safe(rule.type)]
    words += ["required"] * rule.required + ["sensitive"] * rule.sensitive
    if rule.max_length is not None:
        words.append(f"at most {count(rule.max_length, 'character')}")
    words += [f"default {safe(rule.default[:_WIDTH])}"] * (bool(rule.default) and not rule.sensitive)
    return ", ".join(words)


def _html(old: str, new: str, name: str) -> Iterator[Line]:
    """Yield a unified diff; long lines are cut, and a huge text is not compared."""
    if old == new:
        return
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) > COMPARED:
        yield Line(f"html: {len(before):,} lines -> {len(after):,} lines, too many to compare", Tone.FAINT)
        return
    for number, text in enumerate(unified_diff(before, after, name, "desired", lineterm="", n=2)):
        tone = {"+": Tone.ADD, "-": Tone.REMOVE, "@": Tone.FAINT}.get(text[:1], Tone.PLAIN)
        cut = safe(text[:_WIDTH]) + ("..." if len(text) > _WIDTH else "")
        yield Line(cut, tone if number > 1 else Tone.FAINT)  # the names of the two sides neither came nor went
