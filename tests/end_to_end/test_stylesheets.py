"""What a template's html leaves to a stylesheet beside it."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.project import HTML, ProjectFolder


def test_variables_and_fonts_of_a_linked_stylesheet_count(tmp_path: Path) -> None:
    """A variable that only the stylesheet uses is used; a font that only it names shapes the picture."""
    project = ProjectFolder(tmp_path)
    start, end = HTML.index("<style>"), HTML.index("</head>")
    linked = HTML[:start] + '<link rel="stylesheet" href="card.css">' + HTML[end:].replace("{{colour}}", "white")
    project.write("manifests/card.html", linked)
    project.write("manifests/card.css", "body { color: {{colour}}; font-family: Inter }")
    done = project.run("validate")
    assert (done.returncode, "warning" in done.stdout) == (0, False)
    project.edit("manifests/card.css", "{{colour}}", "red")
    assert "does not use the variable 'colour'" in project.ok("validate")
    engine = project.ok("plan", "--json")
    project.edit("manifests/card.css", "Inter", "serif")
    assert project.ok("plan", "--json") != engine
