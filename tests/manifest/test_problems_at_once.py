"""All problems of all files at once: what is wrong in one place hides nothing elsewhere."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest

from tests.manifest.project import ASSETS, Project


def test_every_error_of_every_file_is_told_at_once(project: Project) -> None:
    """One wrong file does not hide what is wrong in another."""
    project.write("manifests/x.yaml", "version: 1\nkind: template\n")
    project.write("manifests/y.yaml", "a: [")
    project.rows({"id": "a b", "title": "A"})
    told = project.fails()
    assert all(file in told for file in ("x.yaml:", "y.yaml:", "rows.jsonl:1:"))


def test_of_very_many_unused_variables_a_hundred_are_told(project: Project) -> None:
    """The cost of comparing names does not grow with the square of their number."""
    names = [f"v{number}" for number in range(3_000)]
    start = "version: 1\ntemplate: card\nkey: x\nrows: [{n: 1}]\nvariables:\n  title: x\n"
    project.write("manifests/a.yaml", start + "".join(f"  {name}: 1\n" for name in names))
    began = process_time()
    told = [problem.message for problem in project.read().problems]
    assert sum("does not use the variable" in message for message in told) == 100
    assert "and 2,900 more variables that the template does not use" in told
    assert process_time() - began < 10


def test_one_mistake_hides_no_other(project: Project) -> None:
    """What is wrong with fields, expressions, columns and rows of one manifest is told at once."""
    text = """template: card
layouts: [default, sqare]
rows:
  - {id: a, title: A}
  - {id: a, title: B}
  - {id: c d, title: C}
  - {id: e, title: E, out: /etc/e}
  - {id: f, title: F, out: g.png}
  - {id: g, title: G, out: G.png}
  - {id: h}
  - {id: h, title: H}
nmae: x
key: "{{ id }}"
variables:
  title: "{{ title | upper }}"
  email: {a: "{{ title | uper }}", b: "{{ title * 3 }}"}
  photo: "{{ gone }}"
output: "{{ out | default(key) }}-{{ layout }}"
"""
    project.write("manifests/a.yaml", text)
    told = project.fails().splitlines()
    assert [line.removeprefix("manifests/a.yaml:").split(";")[0] for line in told] == [
        "1:1: the field 'version' is missing",
        "2:20: the template 'card' has no layout 'sqare'",
        "5:5: the key 'a/a' is already used by manifests/a.yaml:4:5",
        "6:5: the key 'c d' is not a valid key",
        "7:5: the output path '/etc/e-default' is an absolute path",
        "7:5: the output path '/etc/e-sqare' is an absolute path",
        "9:5: the output path 'G.png-default' is that of a/f@default too, from manifests/a.yaml:8:5",
        "11:5: the key 'a/h' is already used by manifests/a.yaml:10:5",
        "12:1: unknown field 'nmae'",
        "15:14: no column 'title' in manifests/a.yaml:10",
        "16:26: there is no filter 'uper'",
        "16:49: '*' is refused",
        "17:14: no column 'gone' in manifests/a.yaml:4 and 7 more rows",
    ]


def test_a_wrong_output_hides_no_duplicate_key(project: Project) -> None:
    """Rows are compared by their keys, whatever else is wrong with them."""
    text = ASSETS.replace("out/{{ key }}", "../{{ gone }}").replace("rows.jsonl", "rows.csv")
    project.write("manifests/rows.csv", "id,title\na,A\nb,B\na,C\n")
    project.write("manifests/a.yaml", text)
    assert "manifests/rows.csv:4:1: the key 'a/a' is already used by manifests/rows.csv:2:1" in project.fails()
    project.edit("manifests/a.yaml", lambda text: text.replace("gone", "id"))
    assert "manifests/rows.csv:4:1: the key 'a/a' is already used by manifests/rows.csv:2:1" in project.fails()
    project.edit("manifests/a.yaml", lambda text: text.replace("id }}.", "title | int }}."))
    assert "manifests/rows.csv:4:1: the key 'a/a' is already used by manifests/rows.csv:2:1" in project.fails()
    project.edit("manifests/a.yaml", lambda text: text.replace('key: "{{ id }}"\n', ""))
    assert "the field 'key' is missing" in project.fails()


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_other_separators_are_named(project: Project, sign: str) -> None:
    """A file that a spreadsheet wrote with other signs has one long column."""
    project.write("manifests/rows.csv", f"id{sign}title\na{sign}A\n")
    project.edit("manifests/a.yaml", lambda text: text.replace("rows.jsonl", "rows.csv"))
    assert f"no column 'id' in manifests/rows.csv; separate the columns by commas, not by {sign!r}" in project.fails()


def test_a_folder_outside_is_one_problem(tmp_path: Path) -> None:
    """It is not walked, unless the project lies in it."""
    project, other = Project(tmp_path / "above" / "project"), tmp_path / "other"
    other.mkdir()
    for number in range(3):
        (other / f"{number}.yaml").write_text("version: 1\n")
    assert project.fails(str(other)).count("lies outside the project folder") == 1
    assert project.read("..").whole


@pytest.mark.parametrize("text", ["[" * 40 + "]" * 40, "- &a [x]\n- [*a, *a]\n", "- {a: 1, a: 2}", "- !!python/none x"])
def test_hostile_lists_are_refused_though_nobody_names_them(project: Project, text: str) -> None:
    """A list is row data and passed over, but not when its YAML is refused."""
    project.write("manifests/list.yaml", "- word\n- [{a: 1}]\n")
    assert len(project.read()) == 4
    project.write("manifests/list.yaml", text)
    assert "manifests/list.yaml:1:" in project.fails() or "manifests/list.yaml:2:" in project.fails()
