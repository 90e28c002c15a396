"""One comment per pull request and one issue for drift, found again by a mark in their text and written anew.

What is posted was made safe for Markdown by its report. Only posts of a bot are taken for ours: a comment of anybody
else with our mark stays as it is.
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
    """Give the hidden line that tells posts of one project in a repository from those of another."""
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
    for page in range(1, PAGES + 1):
        found = api.get(path, per_page=PAGE, page=page, **query)
        posts = found if isinstance(found, list) else []
        yield from (Post(int(one[number]), one["body"]) for one in posts if _is_ours(one, marked, number))
        if len(posts) < PAGE:
            return


def _is_ours(one: Any, marked: str, number: str) -> bool:
    if not isinstance(one, Mapping) or "pull_request" in one or not isinstance(one.get(number), int):
        return False
    body, user = one.get("body"), one.get("user")
    bot = isinstance(user, Mapping) and user.get("type") == "Bot"
    return bot and isinstance(body, str) and body.replace("\r\n", "\n").startswith(f"{marked}\n")
