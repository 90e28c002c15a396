"""Runs the steps of action.yml as a runner does; only what GitHub itself provides is replaced.

That is: the checkout, setup-python, upload-artifact, and the `gh` command, which here talks to files.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.action.expressions import filled, holds
from tests.action.machine import IDENTITY, checkout, git, install
from tests.action.runner import Command, commands, values
from tests.docs.pages import ROOT
from tests.end_to_end.project import ProjectFolder

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


@dataclass
class Job:
    """What came of one job."""

    outputs: dict[str, str]
    log: str
    summary: str
    failed: bool
    steps: dict[str, str]  # name -> outcome
    folder: Path

    @property
    def commands(self) -> list[Command]:
        """What the runner was told."""
        return [one for one in commands(self.log) if one.name in ("error", "warning", "notice")]


@dataclass
class Hub:
    """A repository on GitHub with its pull requests, comments, issues, runs and artifacts."""

    folder: Path
    work: ProjectFolder = field(init=False)  # a developer's clone
    secrets: tuple[str, ...] = ("key-of-the-service",)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        kinds = ("comments", "issues", "pulls", "runs", "artifacts", "calls")
        (self.folder / "hub.json").write_text(json.dumps({kind: [] for kind in kinds}))
        git(self.folder, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
        git(self.remote, "config", "uploadpack.allowAnySHA1InWant", "true")

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    def read(self, kind: str) -> list[dict[str, Any]]:
        """Everything of a kind."""
        found: list[dict[str, Any]] = json.loads((self.folder / "hub.json").read_text())[kind]
        return found

    @contextmanager
    def edited(self) -> Iterator[dict[str, list[dict[str, Any]]]]:
        """Change what GitHub knows."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            content = json.loads((self.folder / "hub.json").read_text())
            yield content
            (self.folder / "hub.json").write_text(json.dumps(content))

    def commit(self, branch: str, message: str = "change") -> str:
        """Commit the developer's files to a branch and push it."""
        folder = self.work.folder
        if not (folder / ".git").exists():
            git(folder, "init", "--quiet", "--initial-branch=main")
            git(folder, "remote", "add", "origin", self.remote.as_uri())
            (folder / ".gitignore").write_text(".pictify-sync/\noutput/\n")
        git(folder, "checkout", "--quiet", "-B", branch)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
        git(folder, "push", "--quiet", "--force", "origin", branch)
        return git(folder, "rev-parse", "HEAD")

    def propose(self, branch: str, *, fork: bool = False) -> int:
        """Open a pull request of a branch, which is pushed now."""
        head, base = self.commit(branch), git(self.remote, "rev-parse", "main")
        with self.edited() as hub:
            number = len(hub["pulls"]) + 1
            repo = {"full_name": "stranger/name" if fork else "owner/name"}
            hub["pulls"].append(
                {"number": number, "head": {"sha": head, "repo": repo}, "base": {"sha": base, "ref": "main"}}
                | {"merged_at": None, "merge_commit_sha": None}
            )
        folder = self.work.folder
        git(folder, "checkout", "--quiet", "--detach", base)
        git(folder, "merge", "--quiet", "--no-ff", "-m", "merge", head)
        git(folder, "push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{number}/merge")
        git(folder, "checkout", "--quiet", branch)
        return number

    def merge(self, number: int) -> str:
        """Merge a pull request by a merge commit."""
        folder = self.work.folder
        git(folder, "fetch", "--quiet", "origin", "main")
        git(folder, "checkout", "--quiet", "-B", "main", "FETCH_HEAD")
        with self.edited() as hub:
            pull = hub["pulls"][number - 1]
            git(folder, "merge", "--quiet", "--no-ff", "-m", f"Merge #{number}", pull["head"]["sha"])
            sha = git(folder, "rev-parse", "HEAD")
            pull |= {"merged_at": "2026-11-22T00:00:00Z", "merge_commit_sha": sha}
        git(folder, "push", "--quiet", "origin", "main")
        return sha

    def run(
        self,
        event: str,
        inputs: Mapping[str, str],
        *,
        pull: int | None = None,
        token: str = "write",
        workflow: int = 1,
        cancel: str = "",
        queued: str = "",
        env: Mapping[str, str] | None = None,
    ) -> Job:
        """Run the action in a job of its own, on a machine of its own.

        `cancel`: once a step has said this. `queued`: the branch of a merge queue. `env`: that of the workflow.
        """
        reference = f"refs/pull/{pull}/merge" if pull else queued or "refs/heads/main"
        sha = git(self.remote, "rev-parse", reference)
        payload: dict[str, Any] = {}
        if queued:
            payload["merge_group"] = {"base_sha": git(self.remote, "rev-parse", "main"), "head_ref": queued}
        head = sha
        with self.edited() as hub:
            if pull:
                payload["pull_request"] = hub["pulls"][pull - 1]
                head = hub["pulls"][pull - 1]["head"]["sha"]
            number = len(hub["runs"]) + 1
            about = {"head_branch": "" if pull else "main", "head_sha": head, "event": event, "workflow_id": workflow}
            hub["runs"].append({"id": number, "conclusion": "failure", **about})
        machine = self.folder / f"machine-{number}"
        shutil.rmtree(machine, ignore_errors=True)
        (machine / "temp").mkdir(parents=True)
        (machine / "event.json").write_text(json.dumps(payload))
        checkout(self.remote, machine / "work", sha)
        install(machine / "temp")
        environ = {
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(machine / "event.json"),
            "GITHUB_SHA": sha,
            "GITHUB_REF": reference,
            "GITHUB_RUN_ID": str(number),
            "HUB": str(self.folder),
            **(env or {}),
        }
        job = _Steps(self, machine, environ, {"token": token, **inputs}, cancel).run()
        with self.edited() as hub:
            hub["runs"][number - 1]["conclusion"] = "failure" if job.failed else "success"
        assert not any(secret in job.log + job.summary for secret in self.secrets)
        return job


class _Steps:
    """One job of the action's steps."""

    def __init__(
        self, hub: Hub, machine: Path, environ: Mapping[str, str], inputs: Mapping[str, str], cancel: str
    ) -> None:
        self.hub, self.machine, self.cancel = hub, machine, cancel
        known = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
        assert set(inputs) <= set(known), inputs
        self.context: dict[str, Any] = {
            "inputs": {**known, **inputs},
            "steps": {},
            "github": {"event_name": environ["GITHUB_EVENT_NAME"], "token": inputs["token"]},
        }
        self.environ = {
            "PATH": f"{Path(__file__).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(machine),
            "LANG": "C.UTF-8",
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "GITHUB_WORKSPACE": str(machine / "work"),
            "GITHUB_REPOSITORY": "owner/name",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_ACTION_PATH": str(ROOT),
            "RUNNER_TEMP": str(machine / "temp"),
            "PICTIFY_SYNC_PROVIDERS__LOCAL__WORKERS": "1",
            **{name: value for name, value in IDENTITY.items() if name.startswith("GIT_CONFIG")},
            **environ,
        }
        self.log: list[str] = []
        self.summary = ""
        self.failed = False

    def run(self) -> Job:
        """Run them all."""
        outcomes = {}
        for step in ACTION["runs"]["steps"]:
            outcome, outputs = "skipped", dict[str, str]()
            if holds(step.get("if"), self.context, failed=self.failed):
                code, outputs = self._uses(step) if "uses" in step else self._runs(step)
                outcome = "failure" if code else "success"
                self.failed |= bool(code)
            outcomes[step["name"]] = outcome
            if "id" in step:
                self.context["steps"][step["id"]] = {"outputs": outputs, "outcome": outcome}
        outputs = {name: filled(one["value"], self.context) for name, one in ACTION["outputs"].items()}
        return Job(outputs, "".join(self.log), self.summary, self.failed, outcomes, self.machine / "work")

    def _runs(self, step: Mapping[str, Any]) -> tuple[int, dict[str, str]]:
        assert "${{" not in step["run"], "an input may not become a part of a script"
        files = {name: self.machine / name.lower() for name in ("OUTPUT", "ENV", "PATH", "STEP_SUMMARY", "STATE")}
        for file in files.values():
            file.write_text("")
        script = self.machine / "script.sh"
        script.write_text(step["run"])
        environ = {
            **self.environ,
            **{f"GITHUB_{name}": str(file) for name, file in files.items()},
            **{name: filled(str(value), self.context) for name, value in step.get("env", {}).items()},
        }
        folder = self.machine / "work" / filled(step.get("working-directory", "."), self.context)
        code, said = self._execute(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)], folder, environ
        )
        self.log.append(f"\n== {step['name']}\n{said}")
        assert files["ENV"].read_text() == files["PATH"].read_text() == ""
        self.summary += files["STEP_SUMMARY"].read_text()
        return code, dict(values(files["OUTPUT"].read_bytes().decode()))

    def _execute(self, words: Sequence[str], folder: Path, environ: Mapping[str, str]) -> tuple[int, str]:
        said = ""
        with subprocess.Popen(
            words, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            for line in process.stdout or ():
                said += line.decode()
                if self.cancel and self.cancel in said:
                    self.cancel = ""
                    process.send_signal(signal.SIGINT)  # to the process of the step, and no other
        for one in commands(said):
            if one.name == "add-mask":
                said = said.replace(f"::add-mask::{one.text}", "").replace(one.text, "***")
        return process.returncode, said

    def _uses(self, step: Mapping[str, Any]) -> tuple[int, dict[str, str]]:
        name = step["uses"].partition("@")[0]
        given = {key: filled(str(value), self.context) for key, value in step["with"].items()}
        if name == "actions/setup-python":
            return 0, {"python-path": sys.executable}
        assert name == "actions/upload-artifact", name
        files = [Path(line) for line in given["path"].splitlines() if line and Path(line).exists()]
        return 0, self._upload(given["name"], files) if files else {}

    def _upload(self, name: str, files: Sequence[Path]) -> dict[str, str]:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
            for file in files:
                members.write(file, file.name)
        with self.hub.edited() as hub:
            number, run = len(hub["artifacts"]) + 1, hub["runs"][int(self.environ["GITHUB_RUN_ID"]) - 1]
            about = {"id": run["id"], "head_sha": run["head_sha"]}
            hub["artifacts"].append(
                {"id": number, "name": name, "expired": False, "created_at": f"2026-11-22T00:00:{number:02}Z"}
                | {"size_in_bytes": len(archive.getvalue()), "workflow_run": about}
            )
        (self.hub.folder / f"{number}.zip").write_bytes(archive.getvalue())
        return {"artifact-url": f"https://github.com/owner/name/actions/runs/{run['id']}/artifacts/{number}"}
