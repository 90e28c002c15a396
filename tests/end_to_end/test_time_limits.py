"""One picture that the real engine would draw for minutes: its limit ends it, by name, and the others are made."""

from __future__ import annotations

import json
from pathlib import Path

from tests.end_to_end.project import ProjectFolder

STEPS = (
    '<feGaussianBlur stdDeviation="400"/><feTurbulence numOctaves="40" baseFrequency="0.9"/>'
    '<feMorphology radius="300" operator="dilate"/>'
)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4000 4000" width="4000" height="4000">'
    f'<filter id="f" x="-5" y="-5" width="11" height="11">{STEPS * 60}</filter>'
    '<rect width="4000" height="4000" filter="url(#f)"/></svg>'
)


def test_a_picture_without_end_is_ended_by_its_limit(tmp_path: Path) -> None:
    """The failure names the asset and the limit; preview keeps to the same limit."""
    project = ProjectFolder(tmp_path, settings="providers: {local: {render_timeout: 4}}\n")
    project.write("manifests/slow.svg", SVG)
    project.edit("manifests/card.html", "<p>{{title}}</p>", '<p>{{title}}</p>{{#if logo}}<img src="{{logo}}">{{/if}}')
    project.edit("manifests/card.yaml", "  colour:", "  logo: {type: image}\n  deep: {type: boolean}\n  colour:")
    project.edit("manifests/cards.yaml", "layouts: [default, square]", "layouts: [default]")
    project.edit("manifests/cards.yaml", "rows.csv", "rows.json")
    variables = '\n  logo: "{{ logo }}"\n  deep: "{{ deep }}"\n  colour:'
    project.edit("manifests/cards.yaml", "\n  colour:", variables)
    rows = [{"id": f"i{n}", "title": "T", "colour": "#123456", "logo": "", "deep": False} for n in range(4)]
    rows[1] |= {"logo": "slow.svg"}
    project.write("manifests/rows.json", json.dumps(rows))
    done = project.run("apply", "--yes")
    assert done.returncode == 1
    assert "cards/i1@default: RENDER_TIMEOUT: not finished within 4 seconds" in done.stdout + done.stderr
    assert set(project.files()) == {f"cards/i{n}.default.png" for n in (0, 2, 3)}
    assert "RENDER_TIMEOUT" in project.run("preview").stdout
