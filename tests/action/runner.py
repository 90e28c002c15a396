"""What a runner makes of a step's output and files, after actions/runner: ActionCommand.cs, FileCommandManager.cs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

COMMANDS = frozenset(
    {
        *("add-mask", "add-matcher", "remove-matcher", "add-path", "set-env", "set-output", "save-state"),
        *(
            "debug",
            "notice",
            "warning",
            "error",
            "group",
            "endgroup",
            "echo",
            "stop-commands",
            "internal-set-repo-path",
        ),
    }
)
_IGNORED = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u034f\u0000-\u0008]")  # of a comparison


@dataclass(frozen=True)
class Command:
    """What the runner would do."""

    name: str
    properties: dict[str, str]
    text: str


def lines_of(text: str) -> list[str]:
    r"""Lines as .NET's StreamReader gives them: \n, \r and \r\n end one."""
    return re.split(r"\r\n|\n|\r", text)


def commands(output: str) -> Iterator[Command]:
    """Every command in the output of a step, however it is written."""
    for line in lines_of(output):
        for read in (line, _IGNORED.sub("", line)):
            found = _new(read) or _old(read)
            if found is not None:
                yield found
                break


def _new(line: str) -> Command | None:
    text = line.lstrip()
    end = text.find("::", 2)
    if not text.startswith("::") or end < 0:
        return None
    return _command(text[2:end], text[end + 2 :], ",", {"\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C", "%": "%25"})


def _old(line: str) -> Command | None:
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    return _command(
        line[start + 3 : end], line[end + 1 :], ";", {";": "%3B", "\r": "%0D", "\n": "%0A", "]": "%5D", "%": "%25"}
    )


def _command(head: str, text: str, separator: str, escapes: dict[str, str]) -> Command | None:
    name, _, rest = head.partition(" ")
    if name not in COMMANDS:
        return None
    pairs = [pair.split("=", 1) for pair in rest.strip().split(separator) if "=" in pair]
    properties = {key: _unescaped(value, escapes) for key, value in pairs}
    return Command(name, properties, _unescaped(text, escapes))


def _unescaped(text: str, escapes: dict[str, str]) -> str:
    for char, code in escapes.items():
        text = text.replace(code, char)
    return text


def values(text: str) -> list[tuple[str, str]]:
    """The pairs in a GITHUB_OUTPUT file, as the runner reads them. Raises ValueError where it would."""
    found, at = [], 0
    while at < len(text):
        line, at, _ = _line(text, at)
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            found.append((line[:equals], line[equals + 1 :]))
            continue
        if heredoc <= 0 or heredoc + 2 == len(line):
            raise ValueError(f"Invalid format {line!r}")
        name, delimiter = line.split("<<", 1)
        start = end = at
        while True:
            if at >= len(text):
                raise ValueError("Matching delimiter not found")
            line, at, newline = _line(text, at)
            if line == delimiter:
                break
            if not newline:
                raise ValueError("EOF marker missing new line")
            end = at - len(newline)
        found.append((name, text[start:end]))
    return found


def _line(text: str, at: int) -> tuple[str, int, str]:
    match = re.compile(r"\r\n|\n|\r").search(text, at)
    if match is None:
        return text[at:], len(text), ""
    return text[at : match.start()], match.end(), match[0]
