"""The inputs of the action, as its steps get them: environment variables, and nothing is taken from anywhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from pictify_sync.errors import UsageError
from pictify_sync.github.event import Run

CHOICES = {
    "command": ("plan", "validate", "apply", "refresh"),
    "comment": ("auto", "always", "never"),
    "approval": ("digest", "none"),
    "issue": ("never", "auto"),
    "preview": ("false", "true"),
    "fail-on-drift": ("false", "true"),
}  # the first of each is the default
_WORD = re.compile(r'"([^"]+)"(?!\S)|(\S+)')
_CHOOSING = re.compile(r"--(select|exclude|replace)=.+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a workflow asks the action for."""

    command: str
    comment: str
    approval: str
    issue: str
    preview: bool
    fail_on_drift: bool
    manifests: tuple[str, ...]  # files, folders, globs; none: those of the settings
    settings: str | None  # file; None: pictify-sync.yaml, if there is one
    max_previews: int | None
    artifacts: str | None  # over the setting of that name
    artifacts_branch: str | None
    extra: tuple[str, ...]  # arguments of the command
    folder: str  # the working one, from the workspace; "." when it is that

    @property
    def scope(self) -> str:
        """What tells one use of the action in a repository from another."""
        return "\n".join((self.folder, self.settings or "", *self.manifests))

    @property
    def artifact(self) -> str:
        """Name of the uploaded report and plan; the same in every run, so that a later one finds it."""
        return f"pictify-sync-{self.command}-{blake2b(self.scope.encode(), digest_size=5).hexdigest()}"

    @property
    def plan_artifact(self) -> str:
        """Name under which a pull request's run left its plan."""
        return self.artifact.replace(f"-{self.command}-", "-plan-", 1)

    @property
    def choosing(self) -> tuple[str, ...]:
        """The extra arguments that choose assets: a preview takes them too."""
        return tuple(one for one in self.extra if _CHOOSING.fullmatch(one))


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """Read INPUT_<NAME>, or INPUTS as an earlier step made it. Raises UsageError for a value that is not taken."""
    environ = {**environ, **json.loads(environ.get("INPUTS") or "{}")}
    chosen = {name: _choice(environ, name) for name in CHOICES}
    workspace, here = Path(environ.get("GITHUB_WORKSPACE") or ".").resolve(), Path.cwd()
    if not here.is_relative_to(workspace):
        raise UsageError("the working directory is outside of the workspace")
    return Inputs(
        command=chosen["command"],
        comment=chosen["comment"],
        approval=chosen["approval"],
        issue=chosen["issue"],
        preview=chosen["preview"] == "true",
        fail_on_drift=chosen["fail-on-drift"] == "true",
        manifests=tuple(quoted or plain for quoted, plain in _WORD.findall(_text(environ, "manifests"))),
        settings=_text(environ, "settings") or None,
        max_previews=_number(environ, "max-previews"),
        artifacts=_text(environ, "artifacts") or None,
        artifacts_branch=_text(environ, "artifacts-branch") or None,
        extra=tuple(filter(None, map(str.strip, _text(environ, "extra-args").splitlines()))),
        folder=here.relative_to(workspace).as_posix(),
    )


def inputs_json(environ: Mapping[str, str]) -> str:
    """Return the inputs for the steps that follow, as JSON; no secret is among them."""
    names = (*CHOICES, "manifests", "settings", "max-previews", "artifacts", "artifacts-branch", "extra-args")
    return json.dumps({_variable(name): _text(environ, name) for name in names})


def refuse_event(inputs: Inputs, run: Run) -> None:
    """Raise UsageError where a proposal, which nobody has agreed to yet, would be carried out."""
    if inputs.command in ("apply", "refresh") and run.base_sha is not None:
        raise UsageError(
            f"{inputs.command} does not run for {run.event}: nothing was merged yet",
            hint="use it on push, schedule or workflow_dispatch; a proposal takes plan or validate",
        )


def _text(environ: Mapping[str, str], name: str) -> str:
    return environ.get(_variable(name), "").strip()


def _variable(name: str) -> str:
    return f"INPUT_{name.upper().replace('-', '_')}"


def _choice(environ: Mapping[str, str], name: str) -> str:
    found = _text(environ, name) or CHOICES[name][0]
    if found not in CHOICES[name]:
        raise UsageError(f"the input {name} is {found!r}", hint=f"it takes {', '.join(sorted(CHOICES[name]))}")
    return found


def _number(environ: Mapping[str, str], name: str) -> int | None:
    found = _text(environ, name)
    if found and not re.fullmatch(r"\d{1,6}", found, re.ASCII):
        raise UsageError(f"the input {name} is {found!r}", hint="it takes a number")
    return int(found) if found else None
