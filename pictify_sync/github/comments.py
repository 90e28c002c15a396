"""One comment per pull request and one issue for drift, found again by a mark in their text and written anew.

What is posted was made safe for Markdown by its report. Only posts of a bot, or of whom the token acts as, are taken
for ours: a comment of anybody else with our mark stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from pictify_sync.github.commands import Api

LIMIT = 65_536  # characters of a comment or an issue's text
PAGE = 100
PAGES = 30  # of comments or issues that are looked through


@dataclass(frozen=True, slots=True)
class Post:
    """A comment or issue of ours."""

    number: int  # id of the comment, number of the issue
    body: str


def mark(kind: str, scope: str) -> str:
    """Return the hidden line that tells posts of one project in a repository from those of another."""
    return f"<!-- pictify-sync {kind} {blake2b(scope.encode(), digest_size=8).hexdigest()} -->"


def text_of(marked: str, report: str, footer: str) -> str:
    """Put a post together; a report that does not fit is replaced by its first paragraph, never cut in the middle."""
    whole = f"{marked}\n{report.strip()}\n\n{footer}\n"
    if len(whole) <= LIMIT:
        return whole
    first = report.strip().split("\n\n", 1)[0]
    first = first if len(first) < 4_000 else ""
    return f"{marked}\n{first}\n\nThe report is too long for a comment.\n\n{footer}\n"


def write_comment(api: Api, pull_request: int, marked: str, text: str, *, only_update: bool) -> str:
    """Write the comment of a pull request; gives what was done: created, updated, unchanged or nothing."""
    there = next(_marked(api, f"issues/{pull_request}/comments", marked, "id"), None)
    if there is None:
        if only_update:
            return "nothing"
        api.send("POST", f"issues/{pull_request}/comments", {"body": text})
        return "created"
    if there.body == text:
        return "unchanged"
    api.send("PATCH", f"issues/comments/{there.number}", {"body": text})
    return "updated"


def write_issue(api: Api, title: str, marked: str, text: str | None) -> str:
    """Open or update the one issue, or close it when there is nothing to say any more; gives what was done."""
    there = next(_marked(api, "issues", marked, "number", state="open", sort="created", direction="desc"), None)
    if text is None:
        if there is None:
            return "nothing"
        api.send("PATCH", f"issues/{there.number}", {"state": "closed", "state_reason": "completed"})
        return "closed"
    if there is None:
        api.send("POST", "issues", {"title": title, "body": text})
        return "created"
    if there.body == text:
        return "unchanged"
    api.send("PATCH", f"issues/{there.number}", {"body": text})
    return "updated"


def _marked(api: Api, path: str, marked: str, number: str, **query: str) -> Iterator[Post]:
    me: str | None = None
    for page in range(1, PAGES + 1):
        found = api.get(path, per_page=PAGE, page=page, **query)
        posts = found if isinstance(found, list) else []
        for one in posts:
            if not _has_mark(one, marked, number):
                continue
            kind, login = (_user(one).get(name) for name in ("type", "login"))
            if kind != "Bot" and me is None:
                me = api.login()
            if kind == "Bot" or (me and login == me):
                yield Post(int(one[number]), one["body"])
        if len(posts) < PAGE:
            return


def _has_mark(one: Any, marked: str, number: str) -> bool:
    if not isinstance(one, Mapping) or "pull_request" in one or not isinstance(one.get(number), int):
        return False
    body = one.get("body")
    return isinstance(body, str) and body.replace("\r\n", "\n").startswith(f"{marked}\n")


def _user(one: Mapping[str, Any]) -> Mapping[str, Any]:
    user = one.get("user")
    return user if isinstance(user, Mapping) else {}
