"""Thresholds that stop an accident: too many deletes, too many renders."""

from __future__ import annotations

from dataclasses import dataclass

from pictify_sync.core.model import Action
from pictify_sync.core.plan import Summary
from pictify_sync.errors import UnsafePlan


@dataclass(frozen=True, slots=True)
class Limits:
    """The guard's numbers, from the settings (never from a manifest)."""

    max_delete_percent: float = 30.0  # of the recorded assets in scope
    min_recorded: int = 10  # below it deletes are not counted: small sets change as a whole
    max_renders: int | None = None  # pictures in one apply; None: no limit


def check(summary: Summary, limits: Limits) -> None:
    """Raise UnsafePlan when the plan deletes or renders more than allowed."""
    deletes = summary.actions.get(Action.DELETE, 0)
    share = 100.0 * deletes / summary.recorded if summary.recorded else 0.0
    if summary.recorded >= limits.min_recorded and share > limits.max_delete_percent:
        raise UnsafePlan(
            f"{deletes} of {summary.recorded} recorded assets would be deleted: "
            f"{share:.1f} % is over {limits.max_delete_percent:g} %",
            rule="guard.max_delete_percent",
            found=share,
            limit=limits.max_delete_percent,
            hint="if that is meant, apply with --allow-deletes, or approve a saved plan",
        )
    if limits.max_renders is not None and summary.renders > limits.max_renders:
        raise UnsafePlan(
            f"{summary.renders} pictures would be rendered: over guard.max_renders of {limits.max_renders}",
            rule="guard.max_renders",
            found=summary.renders,
            limit=limits.max_renders,
            hint="if that is meant, approve the plan (--approve DIGEST, or a plan file), or raise guard.max_renders",
        )
