"""A plan in words, line by line.

Counts come first, and last again where the list is long; between them the templates, then every manifest with its
changes in key order. It streams: nothing is kept of a change once its line is out, and each manifest shows at most
`SHOWN` changes per action unless all are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from pictify_sync.core.model import Action, Reason, split_key
from pictify_sync.core.plan import Plan
from pictify_sync.report.safe import for_shell, safe
from pictify_sync.report.terminal.change import Recall, change_lines
from pictify_sync.report.terminal.lines import BLANK, Line, Tone
from pictify_sync.report.terminal.templates import template_lines
from pictify_sync.report.words import (
    COUNTED,
    REMEDIES,
    SYMBOLS,
    batches,
    count,
    listing,
    pictures,
    postponed,
    providers,
)

SHOWN = 50  # changes per manifest and action
LONG = 20  # changes after which the counts are said again
REFUSED = "An apply will refuse this plan"
DETAILED = 500  # updates compared value by value; after them only the names of the variables are given


def plan_lines(plan: Plan, recall: Recall, *, full: bool = False) -> Iterator[Line]:
    """Tell a plan; `recall` finds recorded variables. With `full` every change and every line of html is shown."""
    if plan.is_empty:
        yield from nothing(plan)
        return
    yield Line(headline(plan), Tone.HEAD)
    yield from (Line(text, Tone.MOVE) for text in relocated(plan))
    yield from (Line(text) for text in cost(plan))
    yield from (Line(text, Tone.WARN) for text in partial(plan))
    yield from refusal_lines(plan)
    yield from (Line(text, Tone.WARN) for text in renamed(plan))
    yield from template_lines(plan.templates, full=full)
    yield from _manifests(plan, recall, full=full)
    yield BLANK
    if _listed(plan, full=full) > LONG:  # once more: a terminal shows the end
        yield Line(headline(plan), Tone.HEAD)
    if plan.refusals:
        yield Line(f"{REFUSED} ({listing(sorted({one.rule for one in plan.refusals}))}).", Tone.BAD)
    yield Line(f"Digest of this plan: {plan.digest}", Tone.FAINT)


def refusal_lines(plan: Plan) -> Iterator[Line]:
    """Say why an apply would refuse a plan, and how to allow it."""
    if plan.refusals:
        yield Line(f"{REFUSED}:", Tone.BAD)
        yield from (Line(f"  {safe(one.message)}", Tone.BAD) for one in plan.refusals)
        yield Line(f"Hint: {'; '.join(dict.fromkeys(one.hint for one in plan.refusals))}")


def renamed(plan: Plan, *, shown: int = SHOWN) -> Iterator[str]:
    """Name keys that go and come and are probably one, with what to do if they are."""
    if not plan.likely_renames:
        return
    number = len(plan.likely_renames) + plan.more_renames
    yield f"{count(number, 'likely rename')}: one key is new, one is gone, and the pictures have much in common."
    yield "If it is one picture, keep its record: run this before apply, or give the old key back."
    for one in plan.likely_renames[:shown]:
        yield f"  pictify-sync state mv {for_shell(one.old)} {for_shell(one.new)}"
    if number > min(shown, len(plan.likely_renames)):
        yield f"  and {number - min(shown, len(plan.likely_renames)):,} more"


def partial(plan: Plan) -> Iterator[str]:
    """Say that only a part of the project is planned; a move to another folder is always one of all pictures."""
    if plan.partial:
        rest = "apart from that move, " if plan.relocation is not None else ""
        yield f"This is a part of the project: {rest}nothing outside the selection is touched."


def relocated(plan: Plan) -> Iterator[str]:
    """Say that the pictures go to another folder."""
    if plan.relocation is not None:
        old, new = (safe(one.removeprefix("files:")) for one in (plan.relocation.old, plan.relocation.new))
        others = [f"{safe(one.removeprefix('files:'))}/" for one in plan.relocation.also]
        if others:
            olds = " and ".join([*([] if old == new else [f"{old}/"]), *others])
            yield f"Finishes a move that was interrupted: brings what is in {olds} to {new}/. Renders none."
            return
        yield f"Moves {pictures(plan.relocation.pictures)} from {old}/ to {new}/, as the settings say. Renders none."


def counted(actions: Mapping[Action, int]) -> str:
    """Give `12 to create, 3 to update, 234 unchanged`, in the order of the actions."""
    return ", ".join(f"{actions[action]:,} {COUNTED[action]}" for action in Action if actions.get(action))


def nothing(plan: Plan) -> Iterator[Line]:
    """Say that there is nothing to do, and why that may be."""
    if not any(plan.summary.actions.values()):
        scope = "selected or in the given paths" if plan.partial else "desired or recorded"
        yield Line(f"No changes: nothing is {scope}.", Tone.WARN)
        return
    kept = plan.summary.actions.get(Action.KEEP, 0)
    subject = f"All {pictures(kept)} are" if kept != 1 else "The 1 picture is"
    yield Line(f"No changes. {subject} as the manifests ask." if kept else "No changes.", Tone.GOOD)
    blocked = plan.summary.actions.get(Action.BLOCKED, 0)
    if blocked:
        yield Line(f"{pictures(blocked)} no longer in a manifest but protected: kept.", Tone.WARN)


def headline(plan: Plan) -> str:
    """Give the counts of the whole plan."""
    templates = Counter(change.action for change in plan.templates)
    if not templates and not plan.summary.actions:
        return "Plan: nothing but the place of the pictures."
    parts = [f"{count(templates[action], 'template')} {COUNTED[action]}" for action in Action if templates[action]]
    return "Plan: " + "; ".join([*parts, counted(plan.summary.actions)] if plan.summary.actions else parts) + "."


def cost(plan: Plan) -> Iterator[str]:
    """Say what would be rendered, by whom, and what would not."""
    summary = plan.summary
    if summary.renders:
        names = providers(plan.batches)
        by = f" (provider {safe(listing(names))})" if names else ""
        most = "up to " if summary.fetches else ""
        yield f"Renders {most}{pictures(summary.renders)} in {most}{batches(summary.batches)}{by}."
    if summary.fetches:
        yield f"Fetches {pictures(summary.fetches)} again, and renders of these only what the provider no longer keeps."
    moves = summary.actions.get(Action.MOVE, 0)
    free = [f"{number:,} {word}" for number, word in ((summary.copies, "copied"), (moves, "moved")) if number]
    if free:
        yield f"Without a render: {listing(free)}."
    if summary.taken_back:
        yield f"Clears {count(summary.taken_back, 'failure')}: what failed is no longer asked for."
    if not summary.renders and (summary.pending or summary.taken_back):
        yield "Renders nothing."
    if summary.stuck:
        yield f"Cannot make {pictures(summary.stuck)}: each output path belongs to another picture that stays there."
        yield f"What to do: {REMEDIES['PATH_TAKEN']}."
    if few := summary.reasons.get((Action.AWAIT, Reason.BELOW_MINIMUM), 0):
        yield f"{postponed(few)}."
    if awaited := summary.actions.get(Action.AWAIT, 0) - few:
        yield f"Goes on with {pictures(awaited)} of batches that are still open."


def _manifests(plan: Plan, recall: Recall, *, full: bool) -> Iterator[Line]:
    """Tell the changes of every manifest that has any; stops reading after the last one to be shown."""
    counts = {name: Counter(actions) for name, actions in plan.summary.manifests.items()}
    left = _listed(plan, full=full)
    manifest, seen, budget = "", Counter[Action](), DETAILED
    for change in filter(lambda change: _acts(change.action), plan.changes if left else ()):
        name = split_key(change.key)[0]
        if name != manifest:
            yield from _rest(counts.get(manifest, {}), full=full)
            manifest, seen = name, Counter()
            yield BLANK
            yield Line(f"{safe(name)}: {counted(counts.get(name, {}))}", Tone.HEAD)
        seen[change.action] += 1
        if full or seen[change.action] <= SHOWN:
            budget -= change.action is Action.UPDATE
            yield from change_lines(change, recall, deep=budget >= 0)
            left -= 1
            if not left:
                break
    yield from _rest(counts.get(manifest, {}), full=full)


def _listed(plan: Plan, *, full: bool) -> int:
    """Count the changes that are shown."""
    numbers = (pair for one in plan.summary.manifests.values() for pair in one.items())
    return sum(_shown(number, full=full) for action, number in numbers if _acts(action))


def _acts(action: Action) -> bool:
    return action is not Action.KEEP


def _shown(number: int, *, full: bool) -> int:
    return number if full else min(number, SHOWN)


def _rest(counts: Mapping[Action, int], *, full: bool) -> Iterator[Line]:
    """Count the changes of a manifest that are not shown."""
    for action in filter(_acts, Action):
        hidden = counts.get(action, 0) - _shown(counts.get(action, 0), full=full)
        if hidden:
            yield Line(f"  {SYMBOLS[action]} and {hidden:,} more {COUNTED[action]} (--full shows all)", Tone.FAINT)
