"""One view of a plan: every form says the same, and none of them holds more than it shows."""

from __future__ import annotations

import tracemalloc
from collections import deque

from pictify_sync.core.plan import Refusal
from pictify_sync.report.markdown.plan import JOB_SUMMARY, markdown
from pictify_sync.report.terminal.plan import plan_lines
from pictify_sync.report.view import FULL, PAGE, TERMINAL, PlanView, review_of_plan
from tests.report.plans import every_kind, plan_of, recalling, text_of
from tests.report.test_text import endless, forget


def test_every_form_has_the_same_words() -> None:
    """Headline, remarks and counts of a refused plan are those of the view on a terminal, on a page and in Markdown."""
    refusal = Refusal("guard.max_renders", "5 pictures would be rendered", "pass --approve", 5, 3)
    plan = plan_of(every_kind(), partial=True, refusals=(refusal,))
    view, review = PlanView(plan, recalling(), TERMINAL), review_of_plan(plan, recalling())
    sentences = [view.headline().text, *(line.text for line in view.remarks())]
    terminal, page = text_of(plan_lines(plan, recalling())), markdown(review, {}, JOB_SUMMARY)
    assert [review.headline, *review.remarks] == sentences
    assert sentences[1] == "An apply will refuse this plan: 5 pictures would be rendered."
    for sentence in sentences:
        assert sentence in terminal
        assert sentence in page.replace("`", "")
    for one in review.counts:
        assert f"{one.number:,} {one.label}" in terminal
        assert f"{one.number:,} {one.label}" in page


def test_a_view_holds_nothing_of_what_was_shown() -> None:
    """A full view of 100,000 changes passes through bounded memory."""
    tracemalloc.start()
    shown = deque(PlanView(endless(100_000), forget, FULL).changes(), maxlen=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert shown[0].name == "k0099999@default"
    assert peak < 1_000_000


def test_what_is_hidden_is_counted() -> None:
    """Shown and hidden changes of a terminal add up to all; a page lists as many as it has room for."""
    plan = endless(30_000)
    (manifest,) = PlanView(plan, forget, TERMINAL).manifests
    assert manifest.hidden[0].number + PlanView(plan, forget, TERMINAL).listed == manifest.total == 30_000
    assert PlanView(plan, forget, PAGE).listed == sum(1 for _ in PlanView(plan, forget, PAGE).changes()) == PAGE.changes
