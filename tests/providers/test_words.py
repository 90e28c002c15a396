"""The vendor's wire words stand in its own folder: no other module knows a field, header, event, plan or key form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "pictify_sync"
OWN = {"providers/pictify", "providers/local"}  # local is Pictify's client over Pictify's server
WORDS = {
    "field": r"templateUid|templateId\b|userStorageUrl|variableSets|batchId\b|targetUrl|variableDefinitions",
    "header": r"X-Pictify|Idempotency-Key",
    "event": r"render\.(completed|failed)|batch\.(completed|failed)",
    "route": r"batch-render|webhook-subscriptions",
    "key form": r"pic_(live|test)|pk_(live|test)|p\(\?:ic\|k\)_",
    "plan": r'"(free|basic|pro|business|enterprise)"',
    "failure code": r"IMAGE_FETCH_FAILED|HANDLEBARS_COMPILE_ERROR|RENDER_TIMEOUT|INVALID_VARIABLE",
    "host": r"pictify\.io",
    "key variable": r"PICTIFY_(API_KEY|BASE_URL)",
}


def found(word: str) -> Iterator[str]:
    """Yield file:line of each line outside the provider's folders that has the word."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(tuple(f"{one}/" for one in OWN)):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(word, line):
                    yield f"pictify_sync/{name}:{number}: {line.strip()}"


@pytest.mark.parametrize("kind", WORDS)
def test_the_vendors_words_stay_in_its_folder(kind: str) -> None:
    """Whoever needs one of them elsewhere asks the provider's ability for it."""
    assert list(found(WORDS[kind])) == []
