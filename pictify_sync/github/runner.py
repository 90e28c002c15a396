"""What a step reports to the runner of GitHub Actions: annotations, outputs, the job summary. No text is trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from secrets import token_hex

from pictify_sync.core.model import Action, AssetKey, Change
from pictify_sync.core.plan import Plan
from pictify_sync.errors import InputError, PictifySyncError, Problem, Severity, UsageError
from pictify_sync.github.runner_log import SHOWN, problem_commands, workflow_command

MAX_SUMMARY = 1 << 20  # bytes of a step's summary; GitHub drops a longer one whole
COUNTED = {
    "creates": Action.CREATE,
    "updates": Action.UPDATE,
    "deletes": Action.DELETE,
    "moves": Action.MOVE,
    "repairs": Action.REPAIR,
}

Value = str | int | bool


@dataclass(frozen=True, slots=True)
class StepReporter:
    """Reports to the runner of a step; without `write` it reports nothing."""

    environ: Mapping[str, str]
    write: Callable[[Iterable[str]], None] | None  # takes workflow commands
    shown: Callable[[str], str]  # makes a message safe to show

    def annotate(self, problems: Sequence[Problem]) -> None:
        """Mark problems at their place in the files of a pull request."""
        if self.write and problems:
            self.write(problem_commands(problems, _folder(self.environ), self.shown))

    def warn(self, messages: Iterable[str]) -> None:
        """Warn of what is about no file."""
        self.annotate([Problem("", 0, 0, text, severity=Severity.WARNING) for text in messages])

    def notice(self, text: str) -> None:
        """Show a notice to whoever looks at the run."""
        if self.write:
            self.write([workflow_command("notice", self.shown(text), title="pictify-sync")])

    def annotate_failures(self, failed: Sequence[tuple[AssetKey, str, str]], changes: Iterable[Change]) -> None:
        """Mark pictures that failed, (key, code, message), at the rows that ask for them."""
        if not (self.write and failed):
            return
        words = {key: f"{key} failed: {code}" + (f": {text}" if text != code else "") for key, code, text in failed}
        places = {change.key: change.asset.origin for change in changes if change.key in words and change.asset}
        marked = [Problem(at.file, at.line, 0, words[key]) for key, at in islice(places.items(), SHOWN)]
        self.annotate(marked or [Problem("", 0, 0, text) for text in islice(words.values(), SHOWN)])

    def fail(self, error: PictifySyncError) -> None:
        """Mark an error: each of its problems, or itself."""
        text = f"{error.message}; {error.hint}" if error.hint else error.message
        self.annotate(error.problems if isinstance(error, InputError) else [Problem("", 0, 0, text)])

    def put(self, values: Mapping[str, Value]) -> None:
        """Set outputs of the step."""
        place = self.environ.get("GITHUB_OUTPUT")
        if self.write and place:
            append_outputs(Path(place), values)

    def put_plan(self, plan: Plan) -> None:
        """Set the outputs that describe a plan."""
        summary = plan.summary
        counts = {name: summary.actions.get(action, 0) for name, action in COUNTED.items()}
        work: dict[str, Value] = {"renders": summary.renders, "batches": summary.batches, "digest": plan.digest}
        self.put({"changed": not plan.is_empty, **counts, **work})


def append_outputs(file: Path, values: Mapping[str, Value]) -> None:
    """Add outputs of the step. Raises UsageError for a text that the file cannot hold."""
    text = ""
    for name, value in values.items():
        word = f"end_{token_hex(16)}"  # random, so that no value can end itself and begin another
        text += f"{name}<<{word}\n{str(value).lower() if isinstance(value, bool) else value}\n{word}\n"
    _append(file, text)


def append_summary(file: Path, markdown: str) -> bool:
    """Add to the job summary; False and nothing written when it would be longer than GitHub takes."""
    text = markdown if markdown.endswith("\n") else markdown + "\n"
    there = file.stat().st_size if file.exists() else 0
    if there + len(text.encode()) > MAX_SUMMARY:
        return False
    _append(file, text)
    return True


def _append(file: Path, text: str) -> None:
    try:
        with file.open("a", encoding="utf-8", newline="") as out:
            out.write(text)
    except UnicodeEncodeError:
        raise UsageError("a value for GitHub cannot be written as UTF-8") from None


def _folder(environ: Mapping[str, str]) -> str:
    """Return the working folder as seen from the repository, where annotations count from."""
    workspace, here = Path(environ.get("GITHUB_WORKSPACE") or ".").resolve(), Path.cwd()
    found = here.relative_to(workspace).as_posix() if here.is_relative_to(workspace) else "."
    return "" if found == "." else found
