"""What live checks found out, and what it means for capabilities, ages and keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.core.dialect import STALE_SECONDS, promised, service_of, standing
from pictify_sync.core.entries import DialectFacts, OpenBatch
from pictify_sync.core.journal import DoubtRules, Quarantine, SendAgain, Weigh, judge
from pictify_sync.core.model import Capabilities
from pictify_sync.errors import UsageError
from tests.state.samples import AT, intended, probed

FACTS = st.builds(
    DialectFacts,
    st.sampled_from(["nested", "names", ""]),
    st.booleans(),
    *[st.sampled_from([True, False, None])] * 5,
)
SERVICE = "https://api.test/v1"
FOUND_AT = datetime.fromisoformat(AT).timestamp()


@given(FACTS)
def test_facts_are_capabilities(facts: DialectFacts) -> None:
    """They fit the fields, what is not known leaves what is declared, and several layouts need names and URLs."""
    declared = Capabilities(honours_idempotency_key=True, can_find=True)
    known = promised([replace(probed("p"), facts=facts)], "pictify", SERVICE)
    found = replace(declared, **cast("dict[str, Any]", known))
    assert found.urls_in_results is facts.urls_in_results
    assert found.honours_idempotency_key is (facts.honours_idempotency_key is not False)
    assert found.can_find is (facts.look_up_tells_variables is not False)
    assert found.many_layouts is not (facts.urls_in_results and facts.names_layouts is False)


@pytest.mark.parametrize(("provider", "service"), [("other", SERVICE), ("pictify", "https://other.test"), ("", "")])
def test_facts_of_another_service_do_not_count(provider: str, service: str) -> None:
    """A provider elsewhere may be another server altogether."""
    assert promised([probed("p"), probed("q", ended=False)], provider, service) == {}


@pytest.mark.parametrize(("age", "stale"), [(0.0, False), (STALE_SECONDS, False), (STALE_SECONDS + 1, True)])
def test_facts_grow_old(age: float, stale: bool) -> None:
    """After thirty days another look is due; elsewhere they are not in use."""
    (one,) = standing([probed("p")], {"pictify": SERVICE}, FOUND_AT + age)
    assert (one.here, one.stale) == (True, stale)
    (one,) = standing([probed("p")], {"pictify": "https://other.test"}, FOUND_AT)
    assert not one.here


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("https://api.test", "https://api.test"),
        ("https://API.test/", "https://api.test"),
        ("https://user:secret@api.test:8443/v1/?token=secret#x", "https://api.test:8443/v1"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
    ],
)
def test_a_service_has_one_name_without_secrets(url: str, service: str) -> None:
    """However its base URL is written."""
    assert service_of(url, "PICTIFY_BASE_URL") == service


@pytest.mark.parametrize("url", ["", "nonsense", "https://", "http://[", "https://a:port/", "/v1"])
def test_what_is_no_url_is_told(url: str) -> None:
    """With a hint, and never as a ValueError."""
    with pytest.raises(UsageError, match="not a URL"):
        service_of(url, "PICTIFY_BASE_URL")


@pytest.mark.parametrize(("lasts", "hours", "again"), [(86_400.0, 23, True), (86_400.0, 25, False), (None, 999, True)])
def test_a_key_is_relied_on_while_it_is_remembered(lasts: float | None, hours: int, again: bool) -> None:
    """Later the same POST would render once more: the batch is weighed like any other in doubt."""
    opened = OpenBatch(intended("a", {1: 1}), 1, None, None, "reset")
    allowed = Capabilities(honours_idempotency_key=True, key_seconds=lasts)
    verdict = judge(opened, allowed, DoubtRules(), (0.0, hours * 3600.0))
    assert isinstance(verdict, SendAgain if again else Weigh)
    unsure = replace(allowed, honours_idempotency_key=False)
    assert isinstance(judge(opened, unsure, DoubtRules(), (0.0, 60.0)), Quarantine)
