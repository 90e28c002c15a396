"""The part of GitHub's expressions that action.yml uses: contexts, texts, comparison, &&, ||, always()."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|(&&|\|\||==|!=|\(|\)|!)|([A-Za-z_][\w.-]*(?:\(\))?))")


def filled(text: str, context: Mapping[str, Any]) -> str:
    """Text with every `${{ }}` replaced."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: shown(evaluate(found[1], context)), text)


def holds(condition: str | None, context: Mapping[str, Any], *, failed: bool) -> bool:
    """Whether a step runs: an `if` without a status function is only looked at while nothing failed."""
    text = (condition or "success()").strip()
    inner = text[3:-2] if text.startswith("${{") else text
    if "always()" not in inner and failed:
        return False
    return bool(evaluate(inner, {**context, "always()": True, "success()": not failed}))


def shown(value: Any) -> str:
    """A value as text."""
    return {True: "true", False: "false", None: ""}.get(value, value) if not isinstance(value, str) else value


def evaluate(text: str, context: Mapping[str, Any]) -> Any:
    """The value of an expression."""
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found, f"{text[at:]} is not known here"
        tokens.append(found)
        at = found.end()
    reader = _Reader(tokens, context)
    value = reader.any_of()
    assert not reader.left, f"{text} has something after its end"
    return value


class _Reader:
    def __init__(self, tokens: list[re.Match[str]], context: Mapping[str, Any]) -> None:
        self.left = tokens
        self._context = context

    def any_of(self) -> Any:
        value = self._all_of()
        while self._takes("||"):
            other = self._all_of()
            value = value or other
        return value

    def _all_of(self) -> Any:
        value = self._compared()
        while self._takes("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Any:
        value = self._one()
        if self._takes("=="):
            return shown(value) == shown(self._one())
        if self._takes("!="):
            return shown(value) != shown(self._one())
        return value

    def _one(self) -> Any:
        if self._takes("("):
            value = self.any_of()
            assert self._takes(")")
            return value
        token = self.left.pop(0)
        if token[3] is None:
            return token[1].replace("''", "'")
        if token[3] in self._context:
            return self._context[token[3]]
        value = self._context
        for name in token[3].split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _takes(self, sign: str) -> bool:
        if self.left and self.left[0][2] == sign:
            self.left.pop(0)
            return True
        return False
