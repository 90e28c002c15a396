"""What every provider does: one suite, run over each of them by a subclass that gives the `provider` fixture."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import pytest

from pictify_sync.core.abilities import RenderLookup
from pictify_sync.core.collect import wire_digest
from pictify_sync.core.model import DEFAULT_LAYOUT, Origin
from pictify_sync.core.outcomes import Accepted, BatchReport, BatchRequest, BatchStatus, Failed, Refused, Rendered
from pictify_sync.core.ports import Provider
from pictify_sync.core.template import LayoutSize, TemplateSource, VariableRule
from pictify_sync.errors import DownloadError

SIZES = {DEFAULT_LAYOUT: LayoutSize(40, 30), "square": LayoutSize(20, 20, "Square")}


def template(html: str = "<b>{{name}}</b>", **changes: object) -> TemplateSource:
    """A declared template of two layouts with one required variable."""
    rules = (VariableRule("name", required=True, max_length=20), VariableRule("unit", default='"km"'))
    fields: dict[str, object] = {"layouts": SIZES, "variables": rules, "digest": html, "revisions": {}}
    return TemplateSource("card", "any", html, **{**fields, **changes}, origin=Origin("t.yaml", 1))  # type: ignore[arg-type]


def request(
    uid: str,
    sets: Sequence[Mapping[str, object]],
    layouts: Sequence[str] = (DEFAULT_LAYOUT,),
    key: str = "key",
) -> BatchRequest:
    """A batch of png pictures."""
    return BatchRequest(uid, sets, tuple(layouts), "png", "{}", key)


def accepted(provider: Provider, wanted: BatchRequest) -> str:
    """Submit, and give the batch id."""
    found = provider.submit(wanted)
    assert isinstance(found, Accepted), found
    return found.batch_id


def finish(provider: Provider, batch: str, wanted: BatchRequest, seconds: float = 30.0) -> BatchReport:
    """Poll until the batch is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        report = provider.poll(batch, len(wanted.variable_sets), wanted.layouts)
        if report.status is not BatchStatus.OPEN:
            return report
        time.sleep(min(report.retry_after or 0.05, 0.2))
    raise AssertionError("the batch does not end")


def render(provider: Provider, wanted: BatchRequest) -> BatchReport:
    """Submit and wait."""
    return finish(provider, accepted(provider, wanted), wanted)


def bytes_of(provider: Provider, report: BatchReport, wanted: BatchRequest, place: tuple[int, str]) -> bytes:
    """The picture at a place of a batch; where results tell no URL, it is looked up by what went into it."""
    outcome = report.outcomes[place]
    assert isinstance(outcome, Rendered)
    url = outcome.url
    if url is None:
        assert isinstance(provider, RenderLookup)
        variables, size = wire_digest(wanted.variable_sets[place[0]]), SIZES[place[1]]
        seen = (one for one in provider.found_renders(wanted.template_uid, 0.0) if one.variables == variables)
        url = next(one.url for one in seen if (one.width, one.height) == (size.width, size.height))
    return b"".join(provider.download(url))


class ProviderConformance:
    """Subclass it as `Test...` beside the fixtures `provider` (its engine is the fake one) and `renders`."""

    @pytest.fixture
    def uid(self, provider: Provider) -> str:
        """A pushed template."""
        return provider.push_template(template(), None)

    def test_pictures_show_their_own_row(self, provider: Provider, uid: str) -> None:
        """Each picture of a batch carries the variables of its own index, in the size of its own layout."""
        sets = [{"name": f"row {index}"} for index in range(7)]
        every = sorted(SIZES)
        for layouts in [every] if provider.capabilities().many_layouts else [[one] for one in every]:
            wanted = request(uid, sets, layouts, key=f"rows {layouts}")
            report = render(provider, wanted)
            assert report.status is BatchStatus.COMPLETED
            assert report.done == 7
            assert sorted(report.outcomes) == [(index, layout) for index in range(7) for layout in layouts]
            for (index, layout), outcome in report.outcomes.items():
                assert isinstance(outcome, Rendered)
                size = SIZES[layout]
                assert outcome.width in (size.width, None)
                assert outcome.height in (size.height, None)
                data = bytes_of(provider, report, wanted, (index, layout))
                assert f"<b>row {index}</b>".encode() in data
                assert data[16:24] == size.width.to_bytes(4) + size.height.to_bytes(4)

    def test_each_failure_stays_with_its_picture(self, provider: Provider, uid: str) -> None:
        """A failed item carries the provider's reason, and its neighbours are rendered."""
        sets: list[dict[str, object]] = [
            {"name": "a"},
            {"name": "b", "do": "fail"},
            {},
            {"name": "d"},
            {"name": "x" * 21},
        ]
        report = render(provider, request(uid, sets, key="failures"))
        assert report.status is BatchStatus.PARTIAL
        codes = {place[0]: one.code for place, one in report.outcomes.items() if isinstance(one, Failed)}
        assert codes == {1: "IMAGE_FETCH_FAILED", 2: "INVALID_VARIABLE", 4: "INVALID_VARIABLE"}
        assert report.done == 5

    def test_a_batch_may_fail_as_a_whole(self, provider: Provider, uid: str) -> None:
        """When every item fails the batch is failed, and each item says why."""
        report = render(provider, request(uid, [{"name": "a", "do": "fail"}], key="all fail"))
        assert report.status is BatchStatus.FAILED
        assert report.outcomes == {(0, DEFAULT_LAYOUT): Failed("IMAGE_FETCH_FAILED", "no such picture")}

    def test_an_unknown_layout_fails_alone(self, provider: Provider, uid: str) -> None:
        """A layout that the template lacks fails, the others of the same item are rendered."""
        if not provider.capabilities().many_layouts:
            pytest.skip("one layout in a batch")
        report = render(provider, request(uid, [{"name": "a"}], ("default", "nowhere"), key="layouts"))
        assert isinstance(report.outcomes[0, "default"], Rendered)
        assert isinstance(report.outcomes[0, "nowhere"], Failed)

    def test_nulls_and_defaults(self, provider: Provider, uid: str) -> None:
        """A null is accepted, and a default stands in for it."""
        other = provider.push_template(template("{{name}} {{unit}}"), None)
        wanted = request(other, [{"name": "a", "unit": None}, {"name": "b", "unit": "mi"}], key="nulls")
        report = render(provider, wanted)
        assert b"a km" in bytes_of(provider, report, wanted, (0, DEFAULT_LAYOUT))
        assert b"b mi" in bytes_of(provider, report, wanted, (1, DEFAULT_LAYOUT))

    def test_an_unknown_template_is_told(self, provider: Provider) -> None:
        """Nothing is accepted for a template that is not there, and the answer says that it is the template."""
        found = provider.submit(request("NOTTHERE00", [{"name": "a"}], key="no template"))
        assert isinstance(found, Refused)
        assert found.template_missing
        assert not found.stops_run
        assert found.retry_after is None

    def test_a_batch_that_is_too_large_is_refused(self, provider: Provider, uid: str) -> None:
        """More items than the capabilities allow are refused as a whole."""
        limit = provider.capabilities().max_items
        found = provider.submit(request(uid, [{"name": "a"}] * (limit + 1), key="too many"))
        assert isinstance(found, Refused)
        assert not found.template_missing

    def test_an_unknown_batch_is_expired(self, provider: Provider) -> None:
        """A batch that the provider does not know is reported as expired, without outcomes."""
        report = provider.poll("batch_UNKNOWN", 1, ("default",))
        assert report.status is BatchStatus.EXPIRED
        assert not report.outcomes

    def test_pushing_again_updates(self, provider: Provider) -> None:
        """A push to a uid changes that template; what is observed afterwards has other revisions where it differs."""
        uid = provider.push_template(template("one {{name}}"), None)
        before = provider.observe_template(uid)
        assert provider.push_template(template("one {{name}}"), uid) == uid
        same = provider.observe_template(uid)
        wider = {**SIZES, "square": LayoutSize(22, 20, "Square")}
        assert provider.push_template(template("one {{name}}", layouts=wider), uid) == uid
        after = provider.observe_template(uid)
        assert before is not None
        assert same is not None
        assert after is not None
        assert before.revisions == same.revisions
        assert before.revisions[DEFAULT_LAYOUT] == after.revisions[DEFAULT_LAYOUT]
        assert before.revisions["square"] != after.revisions["square"]
        assert after.source == "one {{name}}"
        assert {rule.name: rule.default for rule in after.variables} == {"name": "", "unit": '"km"'}

    def test_pushing_to_a_forgotten_uid_creates(self, provider: Provider) -> None:
        """A uid that the provider no longer knows is replaced by a new one."""
        uid = provider.push_template(template("again {{name}}"), "FORGOTTEN0")
        assert uid != "FORGOTTEN0"
        assert provider.observe_template(uid) is not None

    def test_an_unknown_template_is_not_observed(self, provider: Provider) -> None:
        """Observing an unknown template gives None."""
        assert provider.observe_template("NOTTHERE00") is None

    def test_a_batch_keeps_the_template_it_was_accepted_with(self, provider: Provider) -> None:
        """Pushing a template does not change pictures of a batch that is open."""
        uid = provider.push_template(template("old {{name}}"), None)
        wanted = request(uid, [{"name": f"{n}", "seconds": 0.02} for n in range(20)], key="keeps")
        batch = accepted(provider, wanted)
        provider.push_template(template("new {{name}}"), uid)
        report = finish(provider, batch, wanted)
        for place in report.outcomes:
            assert b"old " in bytes_of(provider, report, wanted, place)

    def test_cancelling_keeps_what_is_finished(self, provider: Provider, uid: str) -> None:
        """After a cancel the batch ends, and every picture is either there or failed."""
        wanted = request(uid, [{"name": f"{n}", "seconds": 0.05} for n in range(80)], key="cancel")
        batch = accepted(provider, wanted)
        provider.cancel(batch)
        report = finish(provider, batch, wanted)
        assert report.status is BatchStatus.CANCELLED
        assert len(report.outcomes) == 80
        assert any(isinstance(one, Failed) for one in report.outcomes.values())

    def test_a_missing_file_cannot_be_downloaded(self, provider: Provider, uid: str) -> None:
        """A URL that leads nowhere is a download error, raised before any byte."""
        report = render(provider, request(uid, [{"name": "there"}], key="file"))
        outcome = report.outcomes[0, DEFAULT_LAYOUT]
        assert isinstance(outcome, Rendered)
        if outcome.url is None:
            pytest.skip("results tell no URLs")
        with pytest.raises(DownloadError):
            next(iter(provider.download(outcome.url.replace(".png", "0.png"))))

    def test_the_same_key_gets_the_same_batch(self, provider: Provider, uid: str, renders: Callable[[], int]) -> None:
        """Where the capabilities promise it, sending a batch again with its key renders nothing again."""
        if not provider.capabilities().honours_idempotency_key:
            pytest.skip("the key is not honoured")
        wanted = request(uid, [{"name": "once"}, {"name": "twice"}], key="idempotent")
        before = renders()
        first = accepted(provider, wanted)
        assert accepted(provider, wanted) == first
        finish(provider, first, wanted)
        assert accepted(provider, wanted) == first
        assert renders() == before + 2
