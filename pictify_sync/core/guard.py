"""Thresholds that stop an accident: too many deletes, too many renders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pictify_sync.core.model import Action
from pictify_sync.core.plan import Refusal, Summary
from pictify_sync.errors import UnsafePlan

DELETES, RENDERS = "guard.max_delete_percent", "guard.max_renders"
ALL = 100.0  # percent: deletes are not limited
NAMED = 10  # manifests told one by one
_ALLOW_DELETES = "if this is meant: apply --allow-deletes, or approve the plan (--approve DIGEST, or a saved plan)"
_ALLOW_RENDERS = "if this is meant: approve the plan (--approve DIGEST, or a saved plan), or raise guard.max_renders"


@dataclass(frozen=True, slots=True)
class Limits:
    """The guard's numbers, from the settings (never from a manifest)."""

    max_delete_percent: float = 30.0  # of the records in scope, and of those of each manifest; from 100 on: no limit
    min_recorded: int = 10  # smaller sets change as a whole: their share of deletes is not counted
    max_renders: int | None = None  # pictures in one apply; None: no limit


def refusals(summary: Summary, limits: Limits) -> tuple[Refusal, ...]:
    """Return what is over a limit: deletes in all, then by manifest, then renders."""
    return (*_deletes(summary, limits), *_renders(summary, limits))


def check(summary: Summary, limits: Limits) -> None:
    """Raise UnsafePlan when the plan deletes or renders more than allowed."""
    found = refusals(summary, limits)
    if found:
        first = found[0]
        message = "\n".join(one.message for one in found)
        hint = "; ".join(dict.fromkeys(one.hint for one in found))
        raise UnsafePlan(message, rule=first.rule, found=first.found, limit=first.limit, hint=hint)


def _deletes(summary: Summary, limits: Limits) -> Iterator[Refusal]:
    if limits.max_delete_percent >= ALL:
        return
    deletes = summary.actions.get(Action.DELETE, 0)
    share = _percent(deletes, summary.recorded)
    alone = len(summary.recorded_in) == 1  # what is said of all is said of the only manifest
    if summary.recorded >= limits.min_recorded and share > limits.max_delete_percent:
        yield _over(f"{deletes:,} of {summary.recorded:,} recorded pictures would be deleted", share, limits)
        if alone:
            return
    over = [name for name in sorted(summary.manifests) if _is_over(summary, name, limits)]
    for name in over[:NAMED]:
        gone, recorded = summary.manifests[name].get(Action.DELETE, 0), summary.recorded_in[name]
        few = f"all of its {recorded:,}" if gone > 1 and gone == recorded else f"{gone:,} of its {recorded:,}"
        what = f"manifest {name}: {few} recorded {'picture' if recorded == 1 else 'pictures'} would be deleted"
        yield _over(what, _percent(gone, recorded), limits)
    if len(over) > NAMED:
        yield _over(f"and so it is with {len(over) - NAMED:,} more manifests", ALL, limits)


def _is_over(summary: Summary, manifest: str, limits: Limits) -> bool:
    """Whether one manifest loses too large a share, or, in a project of some size, everything that it has."""
    gone = summary.manifests[manifest].get(Action.DELETE, 0)
    recorded = summary.recorded_in.get(manifest, 0)
    if gone == 0 or recorded == 0:
        return False
    emptied = gone >= recorded and summary.whole >= limits.min_recorded
    return emptied or (recorded >= limits.min_recorded and _percent(gone, recorded) > limits.max_delete_percent)


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0


def _over(what: str, share: float, limits: Limits) -> Refusal:
    limit = limits.max_delete_percent
    return Refusal(DELETES, f"{what}: {share:.1f} % is over {limit:g} % ({DELETES})", _ALLOW_DELETES, share, limit)


def _renders(summary: Summary, limits: Limits) -> Iterator[Refusal]:
    limit = limits.max_renders
    if limit is not None and summary.renders > limit:
        pictures = "1 picture" if summary.renders == 1 else f"{summary.renders:,} pictures"
        most = "up to " if summary.fetches else ""
        yield Refusal(
            RENDERS,
            f"{most}{pictures} would be rendered, over {limit:,} ({RENDERS})",
            _ALLOW_RENDERS,
            summary.renders,
            limit,
        )
