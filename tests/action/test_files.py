"""Outputs and the job summary: hostile values come out as they went in, and set nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pictify_sync.errors import UsageError
from pictify_sync.github.inputs import read_inputs
from pictify_sync.github.runner import MAX_SUMMARY, append_outputs, append_summary
from tests.action.runner import values
from tests.end_to_end.project import ProjectFolder

PIECES = ["\n", "\r", "\r\n", "<<", "=", "EOF", "digest=h1:0", "changed<<x", "end_", "\u2028", "\x00", "a", "é"]
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"])
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["digest", "report", "changed"]), HOSTILE), max_size=4))
@example([("digest", "x\r"), ("report", "\r\ny")])
def test_outputs_are_read_as_they_were_meant(tmp_path: Path, pairs: list[tuple[str, str]]) -> None:
    """No value ends itself, and none is another output; a last carriage return counts as a part of the line end."""
    file = tmp_path / "output"
    file.unlink(missing_ok=True)
    for name, value in pairs:
        append_outputs(file, {name: value})
    assert values(file.read_bytes().decode() if pairs else "") == [
        (name, value.removesuffix("\r")) for name, value in pairs
    ]


def test_paths_with_blanks_stand_in_quotes() -> None:
    """A quote elsewhere is a part of its name, and so is one without an end."""
    text = """ a "b c/*.yaml"\n"d" bob's "e f"g "h """
    inputs = read_inputs({"INPUT_MANIFESTS": text})
    assert inputs.manifests == ("a", "b c/*.yaml", "d", "bob's", '"e', 'f"g', '"h')


def test_numbers_and_booleans(tmp_path: Path) -> None:
    """As expressions of a workflow compare them."""
    append_outputs(tmp_path / "output", {"changed": True, "creates": 3, "digest": ""})
    assert values((tmp_path / "output").read_text()) == [("changed", "true"), ("creates", "3"), ("digest", "")]


def test_a_value_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Half of a surrogate pair cannot be written."""
    with pytest.raises(UsageError):
        append_outputs(tmp_path / "output", {"report": "\ud800"})


def test_a_summary_never_grows_past_what_is_shown(tmp_path: Path) -> None:
    """GitHub drops a longer one whole, with what was there before."""
    file = tmp_path / "summary"
    assert append_summary(file, "# one")
    assert not append_summary(file, "é" * (MAX_SUMMARY // 2))
    assert append_summary(file, "x" * (MAX_SUMMARY - 7))
    assert file.stat().st_size == MAX_SUMMARY
    assert not append_summary(file, "")


def test_commands_set_outputs(tmp_path: Path) -> None:
    """A plan's counts and digest, a refresh's drift; also where the plan is then refused."""
    project = ProjectFolder(tmp_path / "project", rows="id,title,colour\na,A,#000000\nb,B,#111111\n")
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(tmp_path / "output")}

    def said(*command: str) -> tuple[int, dict[str, str]]:
        (tmp_path / "output").write_text("")
        done = project.run(*command, "--github", environ=environ)
        return done.returncode, dict(values((tmp_path / "output").read_text()))

    code, plan = said("plan")
    counts = {name: plan[name] for name in ("changed", "creates", "updates", "deletes", "moves", "renders", "batches")}
    assert (code, list(counts.values())) == (0, ["true", "4", "0", "0", "0", "4", "1"])
    assert said("plan", "--check-against", "h1:0") == (1, plan)
    assert said("apply", "--yes") == (0, plan)
    assert said("plan")[1]["changed"] == "false"
    assert said("refresh") == (0, {"changed": "false"})
    next(project.folder.glob("output/**/*.png")).unlink()
    assert said("refresh") == (0, {"changed": "true"})
    assert said("plan")[1] | {"digest": ""} == dict.fromkeys(plan, "0") | {
        "changed": "true",
        "repairs": "1",
        "renders": "1",
        "batches": "1",
        "digest": "",
    }
