"""What the steps of the action do with its inputs: command lines, approved plans, the comment, the issue, the summary.

Steps of one use of the action leave things for each other in a folder. What a step does in the project itself is not
here: this module must not know projects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pictify_sync.credentials import VARIABLES
from pictify_sync.errors import GitHubError
from pictify_sync.github import comments
from pictify_sync.github.approvals import fetch_plans, reviewed
from pictify_sync.github.branch import OutputBranch
from pictify_sync.github.commands import Api, Refused
from pictify_sync.github.event import Run
from pictify_sync.github.inputs import Inputs
from pictify_sync.github.runner import StepReporter, append_summary
from pictify_sync.github.runner_log import workflow_command


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it was given, and where it reports."""

    inputs: Inputs
    run: Run
    environ: Mapping[str, str]
    reporter: StepReporter
    print_message: Callable[[str], None]

    @property
    def folder(self) -> Path:
        """Where the steps of one use of the action leave things for each other."""
        return (
            Path(self.environ.get("RUNNER_TEMP") or ".pictify-sync").resolve() / "pictify-sync" / self.inputs.artifact
        )

    def command_line(self) -> list[str]:
        """Return the arguments of the run step."""
        inputs, reports = self.inputs, self.report_options()
        approved = [str(file) for file in sorted((self.folder / "approved").glob("*.json"))] or ["none"]
        match inputs.command:
            case "validate":
                own = []
            case "refresh":
                return ["refresh", "--github", *reports, *inputs.extra]
            case "apply":
                agreed = [word for one in approved for word in ("--approve", one)]
                own = [*reports, *(agreed if inputs.approval == "digest" else ["--yes"])]
            case _:
                own = [*reports, "--out", str(self.folder / "plan.json")]
                own += ["--warn-only"] if inputs.approval == "digest" else []  # a review, and the merge, allow it
                if self.run.merge_group is not None and inputs.approval == "digest":
                    own += [word for one in approved for word in ("--check-against", one)]
        return [inputs.command, "--github", *own, *inputs.extra, *inputs.manifests]

    def preview_line(self) -> list[str]:
        """Return the arguments of the preview that takes the place of a plan's reports."""
        inputs = self.inputs
        number = () if inputs.max_previews is None else ("--max-previews", str(inputs.max_previews))
        return ["preview", *number, *self.report_options(), *inputs.choosing, *inputs.manifests]

    def report_options(self) -> list[str]:
        """Return the options that write the reports of a command."""
        files = {"--html": "report.html", "--markdown": "report.md", "--summary": "summary.md"}
        return [word for option, name in files.items() for word in (option, str(self.folder / name))]

    def branch(self, output: Path) -> OutputBranch | None:
        """Return the branch that holds the output folder; None when the inputs name none."""
        name = self.inputs.artifacts_branch
        return None if name is None else OutputBranch(name, output, self.folder / "branch.git", self.environ)

    def mask_secrets(self) -> None:
        """Have the runner hide the secrets that came from elsewhere than its own store of secrets."""
        values = [self.environ.get(name, "").strip() for name in VARIABLES]
        secrets = dict.fromkeys(one for value in values for one in (value, *value.split()) if one)
        if self.reporter.write:
            self.reporter.write(workflow_command("add-mask", one) for one in secrets)

    def fetch_approved(self) -> None:
        """Keep the plans that were reviewed for the next step. Raises GitHubError."""
        if self.inputs.approval == "none":
            return
        api = Api(self.run.repository, self.environ)
        try:
            pulls = reviewed(api, self.run)
            for number, found in fetch_plans(api, pulls, self.inputs.plan_artifact, self.folder / "approved"):
                result = "its plan is approved." if found else "no plan was found."
                self.print_message(f"Pull request {number}: {result}")
        except Refused as error:
            hint = "the job needs the permissions actions: read and pull-requests: read"
            raise GitHubError(f"the approved plans cannot be read: {error.message}", hint=hint) from None
        if not pulls:
            self.print_message("No pull request belongs to this run: no work is approved.")

    def comment(self) -> None:
        """Write the report as the one comment of the pull request. Raises GitHubError."""
        inputs, run = self.inputs, self.run
        if inputs.comment == "never" or run.pull_request is None:
            return
        if inputs.comment == "auto" and run.from_fork:
            self.reporter.notice("A run for a fork may not comment: the report is in the summary of this job.")
            return
        mark = comments.mark("plan", inputs.scope)
        text = comments.text_of(mark, self._report("There is no plan: it failed."), self._footer())
        quiet = inputs.comment == "auto" and self.environ.get("STEP_CHANGED") != "true"
        try:
            api = Api(run.repository, self.environ)
            done = comments.write_comment(api, run.pull_request.number, mark, text, only_update=quiet)
        except Refused as error:
            if inputs.comment == "always":
                hint = "the job needs the permission pull-requests: write"
                raise GitHubError(f"no comment could be written: {error.message}", hint=hint) from None
            self.reporter.notice(
                f"No comment could be written ({error.message}): the report is in the summary of this job."
            )
            return
        self.print_message(f"Comment: {done}.")

    def issue(self) -> None:
        """Open or update the issue that reports drift, or close it where there is none any more. Raises GitHubError."""
        inputs, changed = self.inputs, self.environ.get("STEP_CHANGED")
        if inputs.issue == "never" or changed not in ("true", "false"):
            return
        mark = comments.mark("drift", inputs.scope)
        report = self._report("Something differs from what is recorded.")
        text = comments.text_of(mark, report, self._footer()) if changed == "true" else None
        where = "" if inputs.folder == "." else f" in {inputs.folder}"
        try:
            api = Api(self.run.repository, self.environ)
            done = comments.write_issue(api, f"Pictures drifted{where}", mark, text)
        except Refused as error:
            hint = "the job needs the permission issues: write"
            raise GitHubError(f"no issue could be written: {error.message}", hint=hint) from None
        self.print_message(f"Issue: {done}.")

    def summarize(self) -> None:
        """Put the report into the job summary, in full or as what fits a comment."""
        place, page = self.environ.get("GITHUB_STEP_SUMMARY"), self.folder / "report.html"
        for name in ("summary.md", "report.md") if place else ():
            file = self.folder / name
            if file.is_file() and append_summary(Path(str(place)), file.read_text(encoding="utf-8")):
                break
        self.reporter.put({"report": str(page) if page.is_file() else ""})

    def _report(self, otherwise: str) -> str:
        file = self.folder / "report.md"
        return file.read_text(encoding="utf-8") if file.is_file() else otherwise

    def _footer(self) -> str:
        """Return where the pictures and the log of this run are."""
        run, uploaded = self.run, self.environ.get("STEP_ARTIFACT_URL", "")
        page = f"[Report with pictures]({uploaded}) · " if uploaded.startswith(f"{run.server}/") else ""
        return f"<sub>{page}[Run {run.run_id}]({run.url}) for {run.sha[:12]}</sub>"
