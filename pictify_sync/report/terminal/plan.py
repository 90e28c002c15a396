"""A plan on a terminal: the counts first, and last again where the list is long; between them templates and changes."""

from __future__ import annotations

from collections.abc import Iterator

from pictify_sync.core.model import Action
from pictify_sync.core.plan import Plan
from pictify_sync.report.templates import TemplateView
from pictify_sync.report.view import FULL, REFUSED, TERMINAL, ChangeView, ManifestView, PlanView, Recall
from pictify_sync.report.words import BLANK, COUNTED, SYMBOLS, TONES, Line, Tone, count, listing

LONG = 20  # changes after which the counts are said again


def plan_lines(plan: Plan, recall: Recall, *, full: bool = False) -> Iterator[Line]:
    """Show a plan; `recall` finds recorded variables. With `full` every change and every line of html is shown."""
    view = PlanView(plan, recall, FULL if full else TERMINAL)
    yield view.headline()
    yield from view.remarks()
    if plan.is_empty:
        return
    for number, template in enumerate(view.templates()):
        yield from () if number else (BLANK, Line("Templates", Tone.HEAD))
        yield from _template_lines(template)
    yield from _manifest_lines(view)
    yield BLANK
    if view.listed > LONG:  # once more: a terminal shows the end
        yield view.headline()
    if plan.refusals:
        yield Line(f"{REFUSED} ({listing(sorted({one.rule for one in plan.refusals}))}).", Tone.BAD)
    yield Line(f"Digest of this plan: {plan.digest}", Tone.FAINT)


def _manifest_lines(view: PlanView) -> Iterator[Line]:
    """Show the changes of every manifest that has any, under its counts."""
    manifests = {one.name: one for one in view.manifests}
    shown: ManifestView | None = None
    for change in view.changes():
        if shown is None or shown.name != change.manifest:
            yield from _hidden_lines(shown)
            shown = manifests[change.manifest]
            kept = [f"{shown.kept:,} {COUNTED[Action.KEEP]}"] if shown.kept else []
            counts = ", ".join([*(f"{one.number:,} {one.label}" for one in shown.counts), *kept])
            yield BLANK
            yield Line(f"{shown.name}: {counts}", Tone.HEAD)
        yield from _change_lines(change)
    yield from _hidden_lines(shown)


def _change_lines(change: ChangeView) -> Iterator[Line]:
    action = Action(change.action)
    yield Line(f"  {SYMBOLS[action]} {change.name}: {change.sentence}", TONES[action])
    if action is Action.UPDATE:
        yield from (Line(f"      {value}") for value in change.values)
        if change.more:
            yield Line(f"      and {change.more:,} more", Tone.FAINT)


def _hidden_lines(manifest: ManifestView | None) -> Iterator[Line]:
    """Count the changes of a manifest that are not shown."""
    for one in manifest.hidden if manifest else ():
        yield Line(
            f"  {SYMBOLS[Action(one.action)]} and {one.number:,} more {one.label} (--full shows all)", Tone.FAINT
        )


def _template_lines(template: TemplateView) -> Iterator[Line]:
    """Show a template that would be pushed, and what differs in it."""
    action = Action(template.action)
    title = f"  {SYMBOLS[action]} {template.name} (provider {template.provider}): {template.why}"
    if action is Action.CREATE:
        yield Line(f"{title}; {'; '.join(template.facts)}", TONES[action])
        return
    yield Line(title, TONES[action])
    yield from (Line(f"      {text}") for text in template.facts)
    yield from (Line(f"      {text}", tone) for text, tone in template.diff)
    if template.more:
        yield Line(f"      and {count(template.more, 'more line')} (--full shows all)", Tone.FAINT)
