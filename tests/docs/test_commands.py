"""The commands that pages name exist, with the options that they name; and each that exists is in the reference."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from pictify_sync.cli.root import group
from tests.docs.cli_reference import CONTEXT, PAGE, page, walk
from tests.docs.pages import NAMES, ROOT, blocks, spans

_NEXT = {"&&", "||", "|", ";", "&", ">", ">>", "<", "2>", "(", ")"}
COMMANDS = dict(walk(group))


def options(command: click.Command) -> dict[str, click.Option]:
    """The options of a command by name."""
    return {name: param for param in command.params if isinstance(param, click.Option) for name in param.opts}


EVERYWHERE = {*options(group), "--version", "--help", "-h"}


def lines(name: str) -> Iterator[str]:
    """Command lines of a page's shell blocks and sentences, from `pictify-sync` on."""
    texts = [block.text for block in blocks(name) if block.language == "sh"]
    for text in [*texts, *spans(name)]:
        without = re.sub(r"<<\s*'?(\w+)'?.*?\n\1\n", "\n", text.replace("\\\n", " "), flags=re.DOTALL)
        for line in without.splitlines():
            yield from (found[0] for found in re.finditer(r"\bpictify-sync(?= )(?![-.]).*", line.partition(" # ")[0]))


def check(line: str) -> None:
    """Follow one command line to its command, then look at its options."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)[1:]
    words = words[: next((at for at, word in enumerate(words) if word in _NEXT), len(words))]
    command: click.Command = group
    given, rest = 0, iter(words)
    for word in rest:
        name, _, value = word.partition("=")
        option = options(command).get(name)
        if word.startswith("-"):
            assert option or name in EVERYWHERE, f"{line}: there is no {name}"
            if option and not option.is_flag and not value:
                next(rest, None)
        elif isinstance(command, click.Group):
            found = command.get_command(CONTEXT, word)
            if found is None and word.isupper():
                return  # a placeholder
            assert found is not None, f"{line}: there is no command {word}"
            command = found
        else:
            given += 1
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    room = sum(argument.nargs for argument in arguments)
    assert given <= room or any(argument.nargs < 0 for argument in arguments), f"{line}: too many arguments"


@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_names_exists(name: str) -> None:
    """Commands and options in shell blocks and in sentences."""
    for line in lines(name):
        check(line)
    known = EVERYWHERE.union(*map(options, COMMANDS.values()))
    for span in spans(name):
        first = span.split(" ")[0]
        if re.fullmatch(r"--[a-z][a-z-]*", first) and name.startswith(("README", "docs/how-to", "docs/tutorial")):
            assert first in known | {"--full"}, f"{name}: there is no {first}"
        if first in {path[0] for path in COMMANDS} and " --" in span:
            check(f"pictify-sync {span}")


def test_the_reference_is_current() -> None:
    """It names every command and option, for it is made from them: python -m tests.docs.cli_reference."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_readme_lists_every_command() -> None:
    """A first reader sees all there is."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in {path[:1] for path in COMMANDS}:
        assert re.search(rf"`{path[0]}\b", text), path[0]
