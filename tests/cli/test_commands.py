"""Commands on a real project: what goes to stdout, what to stderr, and with which exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.running import Run, Said, document, edit

# Finding one's way ---------------------------------------------------------------------------------------------------


def test_init_makes_a_project_that_is_valid_and_plans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Run
) -> None:
    """The first three commands of anybody; a second init changes nothing."""
    monkeypatch.chdir(tmp_path)
    said = cli("init")
    assert (said.code, said.out) == (0, "")
    assert "Next: pictify-sync plan" in said.talk
    assert cli("validate") == Said(0, "Valid: 1 manifest, 4 pictures.\n", "")
    assert "Renders 4 pictures in 1 batch (provider local)." in cli("plan").out
    assert not (tmp_path / ".pictify-sync").exists()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again = cli("init")
    assert again.code == 1
    assert "exists already; nothing was written" in again.talk
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["aply"], "Did you mean 'apply'?"),
        (["plan", "--detailed"], "No such option"),
        (["plan", "nowhere.yaml"], "no such file or folder"),
        (["--settings", "nowhere.yaml", "plan"], "nowhere.yaml"),
        (["show", "cards/zzz@default"], "there is no recorded asset named cards/zzz@default"),
        (["explain", "cards/zzz@default"], "there is no asset named cards/zzz@default"),
        (["explain", "b"], "did you mean cards/b@default or cards/b@square?"),
        (["apply", "nowhere.json"], "nowhere.json"),
        (["apply", "x.json", "--select", "a"], "a saved plan is carried out as it is"),
        (["plan", "--out", "no/such/folder/plan.json"], "cannot be written"),
        (["state", "mv", "cards/a@default", "cards/b@default"], "cards/b@default"),
        (["schema", "nonsense"], "is not one of"),
    ],
)
def test_what_cannot_be_done_is_said_on_stderr_with_exit_code_1(
    project: Path, cli: Run, arguments: list[str], words: str
) -> None:
    """Never a traceback, never anything on stdout."""
    said = cli(*arguments)
    assert said.code == 1
    assert words in said.talk
    assert "Traceback" not in said.talk
    if "--out" not in arguments:
        assert said.out == ""


# Plan ----------------------------------------------------------------------------------------------------------------


def test_plan_exit_codes(project: Path, cli: Run) -> None:
    """0 without changes, 2 with some if asked for, 1 when the input is wrong."""
    assert cli("plan", "--detailed-exitcode").code == 0
    edit(project, "A,", "Other,")
    assert cli("plan").code == 0
    assert cli("plan", "--detailed-exitcode").code == 2
    edit(project, "id,", "idd,")
    said = cli("plan", "--detailed-exitcode")
    assert said.code == 1
    assert "manifests/cards.yaml:" in said.talk
    assert "error" in said.talk


def test_plan_shows_what_differs_and_what_it_costs(project: Path, cli: Run) -> None:
    """Old and new value, the layouts of the row, and the batches."""
    edit(project, "a,A,", "a,Other,")
    said = cli("plan")
    assert 'title: "A" -> "Other"' in said.out
    assert "  ~ a@square: variables changed" in said.out
    assert "Renders 2 pictures in 1 batch (provider local)." in said.out
    assert said.talk == ""


def test_plan_json_is_the_plan_file_and_what_the_schema_names(project: Path, cli: Run) -> None:
    """One document on stdout, equal to what --out saves, with the fields of the schema."""
    edit(project, "a,A,", "a,Other,")
    said = cli("plan", "--json", "--out", "plan.json")
    assert (project / "plan.json").read_text() == said.out
    assert set(json.loads(said.out)) == set(json.loads(cli("schema", "plan").out)["properties"])


def test_selection_limits_a_plan(project: Path, cli: Run) -> None:
    """--select, --exclude and --replace take patterns for keys."""
    edit(project, "A,", "Other,")
    assert "1 to update" in cli("plan", "--select", "*@square").out
    assert "1 to update" in cli("plan", "--exclude", "*@square").out
    assert "3 to update" in cli("plan", "--replace", "cards/b@square").out


def test_validate_reports_everything_at_once(project: Path, cli: Run) -> None:
    """On stdout, for it is what was asked for; as text and as a document."""
    (project / "manifests/cards.yaml").write_text("version: 1\ntemplat: card\nrows: []\nkey: '{{ id }}'\nlayout: x\n")
    said = cli("validate")
    assert said.code == 1
    assert "did you mean" in said.out
    assert said.out.splitlines()[-1].endswith("errors in 1 file")
    found = document("validation", cli("validate", "--json").out)
    assert isinstance(found["problems"], list)
    assert len(found["problems"]) >= 2


def test_validate_knows_the_providers(project: Path, cli: Run) -> None:
    """A manifest that names none of them is not valid."""
    with (project / "manifests/cards.yaml").open("a") as file:
        file.write("provider: pictfy\n")
    assert "there is no provider 'pictfy'; did you mean 'pictify'?" in cli("validate").out


# Consent -------------------------------------------------------------------------------------------------------------


def test_a_digest_approves_exactly_its_plan(project: Path, cli: Run) -> None:
    """Another digest is refused and nothing happens; the right one needs no other consent."""
    edit(project, "a,A,", "a,Other,")
    digest = json.loads(cli("plan", "--json").out)["digest"]
    files = {path: path.read_bytes() for path in project.glob("output/**/*.png")}
    refused = cli("apply", "--approve", "h1:" + "0" * 32)
    assert refused.code == 1
    assert files == {path: path.read_bytes() for path in project.glob("output/**/*.png")}
    done = cli("apply", "--approve", digest, "--json")
    assert done.code == 0, done.talk
    assert document("apply", done.out)["stored"] == 2


def test_an_approved_plan_covers_less_but_not_more(project: Path, cli: Run) -> None:
    """What exceeds it is named, in words."""
    edit(project, "a,A,", "a,Other,")
    cli("plan", "--out", "plan.json")
    edit(project, "b,B,", "b,More,")
    refused = cli("apply", "--approve", "plan.json")
    assert refused.code == 1
    assert "update cards/b@default" in refused.talk
    assert "cards/a@default" not in refused.talk


# Looking at the state ------------------------------------------------------------------------------------------------


def test_status_show_list_history_and_log(project: Path, cli: Run) -> None:
    """Each as text and, where it has one, as a document."""
    assert "4 pictures recorded in 1 manifest" in cli("status").out
    assert document("status", cli("status", "--json").out)["statuses"] == {"stored": 4}
    assert cli("status", "--failed").out == "No picture failed.\n"
    assert 'title: "A"' in cli("show", "cards/a@default").out
    assert document("record", cli("show", "cards/a@default", "--json").out)["variables"] == {
        "colour": "#123456",
        "title": "A",
    }
    assert cli("state", "list", "*@square").out.splitlines() == [
        "cards/a@square  cards/a.square.png",
        "cards/b@square  cards/b.square.png",
    ]
    lines = cli("state", "list", "--json").out.splitlines()
    assert [document("record", line)["key"] for line in lines][:2] == ["cards/a@default", "cards/a@square"]
    assert "4 pictures" in cli("history").out
    entries = [json.loads(line) for line in cli("log").out.splitlines()]
    assert [entry["serial"] for entry in entries] == list(range(1, len(entries) + 1))
    assert json.loads(cli("log", "--after", str(len(entries) - 1)).out) == entries[-1]
    assert cli("state", "rebuild", "--check") == Said(0, "", "")


def test_without_a_state_everything_reads_as_empty(project: Path, cli: Run) -> None:
    """No command that only looks makes a state."""
    shutil.rmtree(project / ".pictify-sync")
    assert "No state yet" in cli("status").out
    assert cli("state", "list").out == ""
    assert cli("log").out == ""
    assert cli("history").code == 0
    assert "4 to create" in cli("plan").out
    assert not (project / ".pictify-sync").exists()


def test_explain_says_why(project: Path, cli: Run) -> None:
    """Kept as it is; then, after an edit, which variable differs."""
    said = cli("explain", "cards/a@default")
    assert "would be kept as it is" in said.out
    edit(project, "a,A,", "a,Other,")
    assert 'title: "A" -> "Other"' in cli("explain", "cards/a@default").out
    found = document("explanation", cli("explain", "cards/a@default", "--json").out)
    assert (found["action"], found["reason"], found["renders"]) == ("update", "variables_changed", True)


# Editing the state ----------------------------------------------------------------------------------------------------


def test_taint_and_untaint(project: Path, cli: Run) -> None:
    """A tainted picture is rendered again by the next apply, unless the taint is taken back."""
    assert "1 picture tainted." in cli("taint", "cards/a@square").out
    assert "  ~ a@square: tainted" in cli("plan").out
    assert "1 picture no longer tainted." in cli("untaint", "cards/a").out
    assert cli("plan", "--detailed-exitcode").code == 0


def test_refresh_sees_a_missing_and_a_changed_file(project: Path, cli: Run) -> None:
    """--check records nothing and exits with 2; refresh records, and the next plan repairs."""
    (project / "output/cards/a.default.png").unlink()
    (project / "output/cards/b.default.png").write_bytes(b"other")
    seen = cli("refresh", "--check", "--json")
    assert seen.code == 2
    drift = document("drift", seen.out)["drift"]
    assert isinstance(drift, list)
    assert [one["kind"] for one in drift] == ["missing", "tampered"]
    assert cli("plan", "--detailed-exitcode").code == 0
    assert cli("refresh").code == 0
    assert "2 to repair" in cli("plan").out


# Hostile words -------------------------------------------------------------------------------------------------------


def test_control_characters_of_the_data_never_reach_the_terminal(project: Path, cli: Run) -> None:
    """An escape sequence and a bidi override in a cell are shown as what they are."""
    edit(project, "a,A,", "a,\x1b[2J\u202eA,")
    said = cli("plan")
    assert "\\u001b[2J" in said.out or "\\x1b[2J" in said.out
    assert not {"\x1b", "\u202e"} & {*said.out, *said.talk}
    edit(project, "b,B,", "\x1b]0;x\x07,B,")
    said = cli("plan")
    assert said.code == 1
    assert not {"\x1b", "\x07"} & {*said.out, *said.talk}


@pytest.mark.parametrize(
    "command",
    [
        "plan --json",
        "explain cards/a@default --json",
        "show cards/a@default --json",
        "log",
        "state list --json",
        "state export",
    ],
)
def test_no_document_has_a_character_in_it_that_cannot_be_seen(project: Path, cli: Run, command: str) -> None:
    """It stands in JSON as its escape: the document can be shown on a terminal, and says the same."""
    odd = "\u202e\x7f\x9b\u200b\u2028\U000e0041\u3164"
    edit(project, "a,A,", f"a,{odd},")
    assert cli("apply", "--yes").code == 0
    edit(project, f"a,{odd},", f"a,{odd}!,")
    said = cli(*command.split())
    assert said.code == 0
    assert not {*odd} & {*said.out}
    if command == "plan --json":
        changed = json.loads(said.out)["changes"][0]["asset"]
        assert json.loads(changed["variables"])["title"] == f"{odd}!"
    if command.startswith("show"):
        assert json.loads(said.out)["variables"]["title"] == odd


def test_no_colour_where_there_is_no_terminal(project: Path, cli: Run) -> None:
    """Files and pipes get plain text."""
    edit(project, "a,A,", "a,Other,")
    assert "\x1b" not in cli("plan").out
