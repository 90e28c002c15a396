"""Reviews with hostile and with ordinary texts, for the tests of every kind of page."""

from __future__ import annotations

from dataclasses import replace

from pictify_sync.core.drift import Drift, Observed, TemplateDrift
from pictify_sync.core.events import AssetFailed, AssetRemoved, AssetStored, AssetUnresolved
from pictify_sync.core.model import Action, AssetKey, Change, DriftKind, Failure, Origin, Reason, Record, Status
from pictify_sync.core.template import LayoutSize, TemplateChange, VariableRule
from pictify_sync.providers.pictify.remedies import REMEDIES
from pictify_sync.report.outcome import EventRecorder, review_of_apply, review_of_drift
from pictify_sync.report.view import Review, review_of_plan
from pictify_sync.workflows.apply.outcome import ApplySummary
from tests.core.assets import record
from tests.report.plans import HTML, batch, create, every_kind, filled, plan_of, pushed, recalling, source, update

MARK = "Zq7x"  # stands in every hostile text, and in no text of ours
HOSTILE = [
    f"{MARK}](https://evil.example) ![x](https://evil.example/x.png) <img src=x onerror=alert(1)>",
    f"{MARK}</script><script>alert(1)</script><!-- ]]> --> </style></textarea></title></noscript>",
    f"`{MARK}`` ``` ~~~ | a | b \\| \\\\| <details><summary> </details>",
    f"@octocat #1 GH-1 org/repo#2 {MARK} https://evil.example www.evil.example a@b.example &lt; &#64; :tada:",
    f"{MARK}\n\n# head\n- [ ] list\n> quote\n\n---\n\n    code\n\r\n::set-output name=a::b",
    f"\u202e{MARK}\u2066\u0007\x1b]8;;https://evil.example\x1b\\ \u200b\ufeff",
    f" {MARK} $$x$$ {{{{ x }}}} {{% x %}} **bold** __bold__ ~~gone~~ [^1] [[wiki]] javascript:alert(1)",
    f"<{MARK}@evil.example> \\{MARK} *{MARK}* _{MARK}_ [{MARK}]: https://evil.example",
    "|",
    "`",
    "\\",
    "",
]


def everything() -> Review:
    """A plan with a change of every kind, and templates."""
    changes = every_kind()
    rendered = [change for change in changes if change.renders]
    new = source(html=HTML.replace("<p>", "<p class=note>"), width=1280)
    new = replace(new, variables=(*new.variables, VariableRule("email", sensitive=True, default='"secret@x"')))
    new = replace(new, layouts={**new.layouts, "tall": LayoutSize(600, 1200)})
    templates = [
        TemplateChange(Action.CREATE, source("badge"), None),
        TemplateChange(Action.UPDATE, new, pushed(source())),
    ]
    plan = plan_of(changes, templates=templates, batches=[batch(*rendered)], partial=True)
    return review_of_plan(plan, recalling(filled("edited", {"title": "A", "note": "same"})))


def many(number: int, *, manifests: int = 7) -> Review:
    """So many changes, two of three of them updates."""
    changes, known = [], []
    for n in range(number):
        manifest = f"cards-{n % manifests:04}"
        old = {"title": f"Title {n}", "note": "x" * (n % 60), "count": n}
        if n % 3:
            changes.append(update(f"k{n:05}", old, old | {"note": "y" * (n % 50), "count": -n}, manifest=manifest))
            known.append(filled(f"k{n:05}", old, manifest=manifest))
        else:
            changes.append(create(f"k{n:05}", manifest=manifest))
    return review_of_plan(plan_of(changes), recalling(*known))


def hostile_plan(text: str, number: int = 1) -> Review:
    """A plan, as a hostile plan file may hold it, with this text wherever there is text."""
    changes: list[Change] = []
    known = []
    for n in range(number):
        old = filled("x", {text: text, "title": {"deep": [text]}, "n": n})
        new = filled("x", {text: f"{text}!", "title": {"deep": [f"!{text}"]}, "n": n})
        spec = replace(new.spec, template=text, engine=text)
        new = replace(new, key=AssetKey(f"{text}/{n:04}{text}@{text}"), output=text, origin=Origin(text, 3), spec=spec)
        held = record(old)
        failure = Failure(text, text, old.fingerprint)
        assert held.artifact is not None
        held = replace(held, artifact=replace(held.artifact, path=f"{text}.png"), failure=failure)
        reason = [Reason.VARIABLES_CHANGED, Reason.FAILED_BEFORE, Reason.TEMPLATE_CHANGED][n % 3]
        changes.append(Change(new.key, Action.UPDATE, reason, new, replace(held, key=new.key)))
        known.append(old)
    declared = replace(source(html=text * 2), name=text, source=f"{text}\n{text}", provider=text)
    declared = replace(declared, layouts={text: LayoutSize(1, 1)}, variables=(VariableRule(text, type=text),))
    templates = [TemplateChange(Action.UPDATE, declared, pushed(source(html=f"{text}?"))) for _ in range(2)]
    made = batch(*changes)
    made = replace(made, group=replace(made.group, provider=text))
    plan = replace(plan_of(changes, templates=templates, batches=[made]), digest=text)
    return review_of_plan(plan, recalling(*known))


def hostile_apply(text: str) -> Review:
    """An apply in which every text is this one."""
    recorder = EventRecorder()
    key = AssetKey(f"{text}/{text}@{text}")
    for event in (AssetStored(key, text, rendered=True), AssetRemoved(AssetKey(f"a/{text}@b"), text)):
        recorder.note(event)
    recorder.note(AssetUnresolved(AssetKey(f"b/{text}@b")))
    failed = AssetKey(f"{text}/b@{text}")
    recorder.note(AssetFailed(failed, text, text))
    done = ApplySummary(stored=1, removed=1, unresolved=1, failed=((failed, text, text),), stopped=text, billed_max=3)
    return review_of_apply(done, recorder, REMEDIES, seconds=83)


def hostile_drift(text: str) -> Review:
    """Drift in which every text is this one."""
    key = AssetKey(f"{text}/{text}@{text}")
    return review_of_drift(
        Observed(
            tuple(Drift(key, kind, text) for kind in DriftKind),
            (TemplateDrift(text, text, text, "changed", (text,)),),
        )
    )


def hostile_records(text: str) -> list[Record]:
    """Records in which every text is this one."""
    one = record(filled("x", {text: text}))
    assert one.artifact is not None
    return [
        replace(
            one,
            status=Status.FAILED if failure else Status.STORED,
            key=AssetKey(f"{text}/{text}@{text}"),
            artifact=replace(one.artifact, path=text),
            output=text,
            url=text,
            failure=failure,
            drift=drift,
        )
        for failure in (None, Failure(text, text, filled("x", {}).fingerprint))
        for drift in (None, DriftKind.MISSING)
    ]
