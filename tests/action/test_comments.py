"""The one comment and the one issue: found again, written anew, never anybody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pictify_sync.github.commands import Api, Refused
from pictify_sync.github.comments import LIMIT, mark, text_of, write_comment, write_issue
from tests.action.job import Hub

MARK = mark("plan", "site")


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A repository without anything."""
    return Hub(tmp_path / "hub")


def api(hub: Hub, token: str = "write") -> Api:
    """GitHub, as the steps reach it."""
    path = f"{Path(__file__).parent}{os.pathsep}{os.environ['PATH']}"
    return Api("owner/name", {"PATH": path, "HUB": str(hub.folder), "GH_TOKEN": token})


def stranger(hub: Hub, body: str) -> None:
    """Somebody writes a comment."""
    with hub.edited() as content:
        user = {"login": "mallory", "type": "User"}
        content["comments"].append({"id": len(content["comments"]) + 1, "issue": 7, "body": body, "user": user})


def test_a_comment_is_created_once_and_then_updated(hub: Hub) -> None:
    """Also behind a hundred others; an equal text is not sent again."""
    for number in range(130):
        stranger(hub, f"comment {number}")
    one, two = (text_of(MARK, report, "run") for report in ("one", "two"))
    github = api(hub)
    assert write_comment(github, 7, MARK, one, only_update=True) == "nothing"
    assert write_comment(github, 7, MARK, one, only_update=False) == "created"
    assert write_comment(github, 7, MARK, two, only_update=True) == "updated"
    assert write_comment(github, 7, MARK, two, only_update=False) == "unchanged"
    assert [comment["body"] for comment in hub.read("comments")[130:]] == [two]
    other = mark("plan", "another site")
    assert write_comment(github, 7, other, text_of(other, "x", "run"), only_update=False) == "created"


def test_a_comment_of_a_stranger_with_our_mark_is_left_alone(hub: Hub) -> None:
    """It is no place for our words, and theirs are not ours to change."""
    stranger(hub, text_of(MARK, "approved: everything", "run"))
    assert write_comment(api(hub), 7, MARK, text_of(MARK, "one", "run"), only_update=False) == "created"
    assert "approved" in hub.read("comments")[0]["body"]


def test_a_token_of_a_person_finds_its_own_posts(hub: Hub) -> None:
    """And nobody else's."""
    stranger(hub, text_of(MARK, "theirs", "run"))
    github = api(hub, "octocat")
    told = [write_comment(github, 7, MARK, text_of(MARK, words, "run"), only_update=False) for words in ("one", "two")]
    assert told == ["created", "updated"]
    assert "theirs" in hub.read("comments")[0]["body"]


def test_a_token_that_may_not_write_is_refused_with_its_status(hub: Hub) -> None:
    """So that the step can say what is missing."""
    with pytest.raises(Refused) as caught:
        write_comment(api(hub, "read"), 7, MARK, text_of(MARK, "one", "run"), only_update=False)
    assert caught.value.status == 403


@pytest.mark.parametrize("report", ["x" * LIMIT, "short\n\n" + "x" * LIMIT, "é" * LIMIT])
def test_a_report_that_is_too_long_is_not_cut_in_the_middle(report: str) -> None:
    """Its first paragraph, or nothing of it, and where the rest is."""
    text = text_of(MARK, report, "footer")
    assert len(text) < 8_192
    assert text.startswith(f"{MARK}\n")
    assert "too long" in text
    assert text.endswith("footer\n")
    assert ("short" in text) == report.startswith("short")


def test_an_issue_lives_as_long_as_the_drift(hub: Hub) -> None:
    """Opened, updated, closed, and another one opened at the next time."""
    github, drift = api(hub), mark("drift", "site")

    def told(words: str | None) -> str:
        return write_issue(github, "Pictures drifted", drift, words and text_of(drift, words, "run"))

    assert [told(words) for words in (None, "one", "one", "two", None, None, "three")] == [
        *("nothing", "created", "unchanged", "updated", "closed", "nothing", "created")
    ]
    assert [issue["state"] for issue in hub.read("issues")] == ["closed", "open"]
