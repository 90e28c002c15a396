"""The real command against a served account where somebody changes templates by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.project import HTML, ProjectFolder
from tests.end_to_end.test_remote import SETTINGS, rendered, served


class Account:
    """A served account, changed as its owner would in the vendor's editor."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)
        headers = {"Authorization": f"Bearer {environ['PICTIFY_API_KEY']}"}
        self.http = httpx.Client(base_url=environ["PICTIFY_BASE_URL"], headers=headers)

    def uid(self) -> str:
        """Of the only template."""
        (template,) = self.http.get("templates").json()["templates"]
        return str(template["uid"])

    def edit(self, **fields: Any) -> None:
        """Change the only template."""
        assert self.http.put(f"templates/{self.uid()}", json=fields).is_success

    def create(self, **fields: Any) -> str:
        """Make a template; gives its uid."""
        body = {"name": "By hand", "html": HTML, "width": 120, "height": 63, **fields}
        made = self.http.post("templates", json=body)
        assert made.is_success, made.text
        return str(made.json()["template"]["uid"])


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """A project whose provider is the served account."""
    return ProjectFolder(tmp_path, settings=SETTINGS, rows="id,title,colour\na,A,#112233\nb,B,#445566\n")


@pytest.fixture
def account(project: ProjectFolder) -> Iterator[Account]:
    """A served account."""
    with served(project, "--faults") as environ:
        account = Account(environ)
        with account.http:
            yield account


def said(project: ProjectFolder, account: Account, *arguments: str) -> tuple[int, str]:
    """Run the command; gives its exit code and all that it says."""
    done = project.run(*arguments, environ=account.environ)
    return done.returncode, done.stdout + done.stderr


def test_a_template_changed_by_hand_is_drift_until_an_apply_mends_it(project: ProjectFolder, account: Account) -> None:
    """--check tells, refresh records, the plan shows the way back, and what may be wrong is rendered anew."""
    assert said(project, account, "apply", "--yes")[0] == 0
    right = project.files()
    assert said(project, account, "refresh", "--check")[0] == 0
    account.edit(html=HTML.replace("{{title}}", "{{title}}?"))
    code, text = said(project, account, "refresh", "--check")
    assert code == 2
    assert "template card" in text
    assert "changed at the provider: default, square and tall" in text
    assert said(project, account, "plan", "--detailed-exitcode")[0] == 0  # a check records nothing
    assert said(project, account, "refresh")[0] == 0
    code, text = said(project, account, "plan", "--detailed-exitcode")
    assert code == 2
    assert "{{title}}?</p>" in text
    assert "to repair" in text
    code, text = said(project, account, "apply", "--yes")
    assert code == 0, text
    assert account.http.get(f"templates/{account.uid()}").json()["template"]["html"] == HTML
    assert project.files() == right
    assert rendered(project) == 8
    assert said(project, account, "refresh", "--check") == (
        0,
        "No drift: 4 pictures and 1 template looked at, all as recorded.\n",
    )
    assert said(project, account, "plan", "--detailed-exitcode")[0] == 0


def test_pictures_made_before_the_template_was_last_seen_right_are_right(
    project: ProjectFolder, account: Account
) -> None:
    """A refresh between the apply and the change by hand saves their renders."""
    assert said(project, account, "apply", "--yes")[0] == 0
    assert said(project, account, "refresh")[0] == 0
    account.edit(html=HTML.replace("Inter", "Arial"))
    assert said(project, account, "refresh")[0] == 0
    code, text = said(project, account, "apply", "--yes")
    assert code == 0, text
    assert rendered(project) == 4
    assert said(project, account, "refresh", "--check")[0] == 0


def test_names_and_other_layouts_are_no_drift(project: ProjectFolder, account: Account) -> None:
    """What does not shape a picture may be changed by hand; a size that shapes one layout touches that one alone."""
    assert said(project, account, "apply", "--yes")[0] == 0
    account.edit(name="Renamed by hand")
    assert said(project, account, "refresh", "--check")[0] == 0
    account.edit(layouts={"square": {"width": 90, "height": 90}, "tall": {"width": 60, "height": 120}})
    code, text = said(project, account, "refresh", "--check")
    assert code == 2
    assert "changed at the provider: square\n" in text


def test_a_deleted_template_is_pushed_anew_and_its_pictures_stay(project: ProjectFolder, account: Account) -> None:
    """Nothing is rendered for it."""
    assert said(project, account, "apply", "--yes")[0] == 0
    assert account.http.delete(f"templates/{account.uid()}").is_success
    code, text = said(project, account, "refresh")
    assert (code, "no longer known to the provider" in text) == (0, True)
    code, text = said(project, account, "apply", "--yes")
    assert code == 0, text
    assert account.uid()
    assert rendered(project) == 4
    assert said(project, account, "refresh", "--check")[0] == 0


def test_a_template_named_by_its_uid(project: ProjectFolder, account: Account) -> None:
    """What a refresh recorded of it is linted offline; a change of it renders its pictures anew."""
    uid = account.create(
        layouts={"square": {"width": 80, "height": 80}},
        variableDefinitions=[
            {"name": "title", "type": "text", "validation": {"required": True, "maxLength": 5}},
            {"name": "colour", "type": "color"},
        ],
    )
    (project.manifests / "card.yaml").unlink()
    project.edit("manifests/cards.yaml", "template: card", f"template: {uid}")
    assert said(project, account, "refresh")[0] == 0  # before anything was applied
    project.edit("manifests/rows.csv", "a,A,", "a,Too long,")
    code, text = said(project, account, "validate")
    assert (code, "at most 5" in text) == (1, True), text
    project.edit("manifests/rows.csv", "a,Too long,", "a,A,")
    code, text = said(project, account, "apply", "--yes")
    assert code == 0, text
    assert len(project.files()) == 4
    assert said(project, account, "plan", "--detailed-exitcode")[0] == 0
    account.http.put(f"templates/{uid}", json={"html": HTML.replace("{{title}}", "{{title}}!")})
    assert said(project, account, "refresh", "--check")[0] == 2
    assert said(project, account, "refresh")[0] == 0
    code, text = said(project, account, "plan", "--detailed-exitcode")
    assert code == 2
    assert "template changed" in text
    assert said(project, account, "apply", "--yes")[0] == 0
    assert rendered(project) == 8
    assert said(project, account, "plan", "--detailed-exitcode")[0] == 0


def test_a_lost_file_is_fetched_from_its_url_and_only_else_rendered(project: ProjectFolder, account: Account) -> None:
    """What the provider still keeps costs nothing; what it no longer keeps is rendered."""
    assert said(project, account, "apply", "--yes")[0] == 0
    right = project.files()
    lost = sorted(project.folder.glob("output/cards/*.png"))
    lost[0].unlink()
    lost[1].write_bytes(b"somebody else's")
    assert said(project, account, "refresh", "--check")[0] == 2
    assert said(project, account, "refresh")[0] == 0
    code, text = said(project, account, "apply", "--yes")
    assert code == 0, text
    assert "Applied: 2 fetched again; 2 unchanged." in text
    assert project.files() == right
    assert rendered(project) == 4
    for kept in (project.folder / "server/files").rglob("*"):
        if kept.is_file():
            kept.unlink()
    lost[0].unlink()
    assert said(project, account, "refresh")[0] == 0
    code, text = said(project, account, "apply", "--yes")
    assert code == 0, text
    assert "Applied: 1 stored; 3 unchanged." in text
    assert project.files() == right
    assert rendered(project) == 5


def test_a_refresh_of_a_part_misses_no_picture_of_a_changed_template(project: ProjectFolder, account: Account) -> None:
    """Once the template is pushed again nobody could tell which pictures are of the other one."""
    assert said(project, account, "apply", "--yes")[0] == 0
    account.edit(html=HTML.replace("{{title}}", "{{title}}?"))
    assert said(project, account, "refresh", "cards/a@square")[0] == 0
    assert said(project, account, "apply", "--yes")[0] == 0
    assert rendered(project) == 8
