"""Numbers of YAML that a text shows otherwise than they were written."""

from __future__ import annotations

import pytest

from pictify_sync.errors import Severity
from pictify_sync.scalars import WrittenFloat, WrittenInt, read_scalar, read_written, shown
from tests.manifest.project import ASSETS, TEMPLATE, Project

LOST = {
    "3.10": "3.1",
    "1.0": "1",
    "01234": "1234",
    "007": "7",
    "12e5": "1200000",
    "1E3": "1000",
    "+4915112345": "4915112345",
    "0x1F": "31",
    "0o17": "15",
    ".5": "0.5",
    "5.": "5",
    "-0": "0",
    "12345678901234567890": "12345678901234567000",
}
KEPT = ["3.1", "1234", "-7", "0", "0.5", "1_000", "2026-01-02", "10:30", "yes", "no", "on", "off", "1.2.3", "3,10"]


def warned(project: Project) -> list[str]:
    """The warnings, each with its place; there are no errors."""
    problems = project.read().problems
    assert all(problem.severity is Severity.WARNING for problem in problems)
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(("written", "plain"), LOST.items())
@pytest.mark.parametrize("where", ["inline", "file", "constant", "mixed"])
def test_a_number_that_loses_its_form_is_told_at_its_place(
    project: Project, where: str, written: str, plain: str
) -> None:
    """In inline rows, in rows of a YAML file, among the variables, and inside a longer text."""
    match where:
        case "inline":
            project.write("manifests/a.yaml", ASSETS.replace("rows.jsonl", f"\n  - {{id: a, title: {written}}}"))
            place = "manifests/a.yaml:6:20"
        case "file" | "mixed":
            manifest = ASSETS.replace("rows.jsonl", "rows.yaml")
            project.write(
                "manifests/a.yaml",
                manifest.replace("{{ title }}", "v{{ title }}!" * (where == "mixed") or "{{ title }}"),
            )
            project.write("manifests/rows.yaml", f"- id: a\n  title: {written}\n")
            place = "manifests/rows.yaml:2:10"
        case _:
            project.write("manifests/a.yaml", ASSETS.replace('"{{ title }}"', written))
            place = "manifests/a.yaml:8:10"
    if where == "mixed" and written in ("1.0", "12345678901234567890"):
        assert warned(project) == []  # such a text is made here, and has them as they stand
        return
    (told,) = warned(project)
    assert told.startswith(f"{place}: {written} is a number, which 'title' shows as ")
    assert told.endswith(f"; put quotes around it: '{written}'")
    if where != "mixed":
        assert f" shows as {plain};" in told


@pytest.mark.parametrize("written", [*KEPT, *(f"'{one}'" for one in LOST), *(f'"{one}"' for one in LOST)])
def test_what_is_shown_as_written_is_not_told(project: Project, written: str) -> None:
    """Quoted numbers, numbers in their plain form, and texts that look like more."""
    project.write("manifests/a.yaml", ASSETS.replace("rows.jsonl", f"[{{id: a, title: {written}}}]"))
    assert warned(project) == []


def test_one_cause_is_told_once_with_a_count(project: Project) -> None:
    """The first place, and how many rows more; each variable by itself, and the key and the path as well."""
    project.write("manifests/a.yaml", ASSETS.replace("rows.jsonl", "rows.yaml"))
    project.write("manifests/rows.yaml", "".join(f"- {{id: a{n}, title: {n}.50}}\n" for n in range(5)))
    assert warned(project) == [
        "manifests/rows.yaml:1:19: 0.50 is a number, which 'title' shows as 0.5, and so in 4 more rows;"
        " put quotes around it: '0.50'"
    ]
    project.write("manifests/rows.yaml", "- {id: 0123, title: x}\n")
    assert [one.partition(";")[0] for one in warned(project)] == [
        "manifests/rows.yaml:1:8: 0123 is a number, which 'key' shows as 123",
    ]


@pytest.mark.parametrize("text", ["v{{ title.v }}", "{{ title.v }}", "{{ title.v | string }}", "{{ title }}"])
def test_a_number_inside_a_list_or_a_mapping_is_told(project: Project, text: str) -> None:
    """Whatever takes it out of there."""
    project.write("manifests/a.yaml", ASSETS.replace("rows.jsonl", "[{id: a, title: {v: 3.10}}]"))
    project.edit("manifests/a.yaml", lambda old: old.replace("{{ title }}", text))
    (told,) = warned(project)
    assert told.startswith("manifests/a.yaml:5:27: 3.10 is a number, which 'title' shows as 3.1;")


def test_a_default_of_a_template_is_told(project: Project) -> None:
    """It is drawn as any other value."""
    project.edit(
        "manifests/card.yaml", lambda old: old.replace("title: {type: text}", "title: {type: text, default: 007}")
    )
    (told,) = warned(project)
    assert told.startswith("manifests/card.yaml:9:32: 007 is a number, which 'title' shows as 7;")


def test_other_types_and_sensitive_values(project: Project) -> None:
    """A number is a number where one is wanted; a sensitive value is not shown."""
    project.write("manifests/card.yaml", TEMPLATE.replace("title: {type: text}", "title: {type: number}"))
    project.write("manifests/a.yaml", ASSETS.replace("rows.jsonl", "[{id: a, title: 3.10, email: 0.50}]"))
    assert warned(project) == [
        "manifests/a.yaml:5:36: a number loses its form in 'email'; put quotes around it",
    ]


@pytest.mark.parametrize("text", [*LOST, *KEPT, ".inf", "-.INF", ".nan", "true", "null", ""])
def test_a_written_number_is_the_number(text: str) -> None:
    """It equals what any reader of YAML gets, and only one whose form is lost knows how it was written."""
    value, plain = read_written(text, (1, 1)), read_scalar(text)
    assert repr(value) == repr(plain)
    assert isinstance(value, WrittenInt | WrittenFloat) == (text in LOST)
    if isinstance(value, WrittenInt | WrittenFloat):
        assert (value.written, shown(value)) == (text, LOST[text])
