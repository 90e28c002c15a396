"""What manifests ask for, read as a whole."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from pictify_sync.core.fingerprint import canonical, digest, fingerprint, keyed_digest
from pictify_sync.core.model import UNKNOWN_REVISION, AssetKey
from pictify_sync.core.ports import Desired, Payloads
from pictify_sync.core.template import LayoutSize, TemplateRecord, VariableRule
from pictify_sync.errors import InputError
from pictify_sync.manifest.context import ReadContext
from pictify_sync.manifest.desired import read_manifests
from tests.manifest.fakes import OFFLINE, FakeInspector
from tests.manifest.project import ASSETS, Project


def test_assets_hold_everything_a_plan_needs(project: Project) -> None:
    """An asset has its key, spec, canonical variables, fingerprint, output and the place of its row."""
    desired: Desired = project.read()
    payloads: Payloads = project.read()
    assets = list(desired)
    assert [asset.key for asset in assets] == ["a/a@default", "a/a@square", "a/b@default", "a/b@square"]
    one = assets[3]
    assert (one.output, one.origin.file, one.origin.line) == ("out/b.square.webp", "manifests/rows.jsonl", 1)
    spec = one.spec
    assert (spec.provider, spec.template, spec.variant, spec.format) == ("local", "card", "square", "webp")
    assert (spec.options, spec.engine) == ('{"quality":0.9}', "takumi ")
    assert one.variables == canonical(
        {"email": {"$sensitive": keyed_digest(b"k" * 32, '""')}, "photo": "", "title": "B"}
    )
    assert one.fingerprint == fingerprint(spec, one.variables)
    assert desired.get(one.key) == one
    assert desired.get(AssetKey("a/zz@square")) is None
    assert (len(desired), list(desired.manifests), desired.whole) == (4, ["a"], True)
    assert payloads.payload(one.key, one.variables) == {"title": "B", "photo": "", "email": ""}
    assert list(desired) == assets


keys = st.text(st.sampled_from("abAB019._~-"), min_size=1, max_size=6).filter(lambda key: key[0].isalnum())


@given(st.lists(keys, unique_by=str.lower, min_size=1, max_size=30))
def test_assets_come_sorted_whatever_the_order_of_rows(
    tmp_path_factory: pytest.TempPathFactory, items: list[str]
) -> None:
    """The order is that of the key's bytes, and shuffling the rows changes nothing but the origins."""
    project = Project(tmp_path_factory.mktemp("p"))
    project.rows(*({"id": item, "title": item} for item in items))
    one = list(project.read())
    project.rows(*({"id": item, "title": item} for item in reversed(items)))
    other = list(project.read())
    assert [asset.key for asset in one] == sorted((asset.key for asset in one), key=str.encode)
    assert {asset.key.split("/")[1].split("@")[0] for asset in one} == set(items)
    assert [replace(asset, origin=one[0].origin) for asset in one] == [
        replace(asset, origin=one[0].origin) for asset in other
    ]


def test_specs_and_digests_are_shared_by_the_rows_of_a_layout(project: Project) -> None:
    """All rows of a manifest and layout have the very same spec, all layouts of a row the same variables."""
    a_default, a_square, b_default, _ = project.read()
    assert a_default.spec is b_default.spec
    assert a_default.fingerprint.variables == a_square.fingerprint.variables
    assert a_default.fingerprint.spec != a_square.fingerprint.spec


def test_paths_limit_the_scope(project: Project) -> None:
    """Files, folders and globs choose manifests; only paths that cover the root are the whole."""
    project.write("manifests/deep/b.yml", ASSETS.replace("rows.jsonl", "[{id: 1, title: x}]").replace("out/", "b/"))
    every = {"": ["a", "b"], "manifests": ["a", "b"], ".": ["a", "b"], "manifests/a.yaml": ["a"]}
    every |= {"manifests/deep": ["b"], "manifests/**/*.yml": ["b"], "manifests/*.yaml": ["a"]}
    for path, names in every.items():
        found = project.read(*([path] if path else []))
        assert list(found.manifests) == names, path
        assert found.whole is (path in ("", "manifests", ".")), path
        assert [source.name for source in found.templates] == ["card"], "found below the root, outside the scope"
    assert "no such file or folder" in project.fails("manifests/gone.yaml")
    assert "no YAML file matches" in project.fails("manifests/x*.yaml")


def test_row_data_and_hidden_folders_are_passed_over(project: Project) -> None:
    """A walked YAML file whose top is a list is no manifest, unless it is named itself."""
    project.write("manifests/rows.yaml", "- {id: 1}\n")
    project.write("manifests/.cache/x.yaml", "bad: [")
    assert len(project.read()) == 4
    assert "must be a mapping" in project.fails("manifests/rows.yaml")


def test_nothing_outside_the_project_is_read(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Manifests, rows, html and pictures that lie outside, also through symlinks, are refused."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.jsonl").write_text('{"id": "s", "title": "s3cret"}')
    (outside / "secret.yaml").write_text("s3cret: 1")
    (project.folder / "manifests/link.jsonl").symlink_to(outside / "secret.jsonl")
    (project.folder / "manifests/folder").symlink_to(outside)
    for name in ("link.jsonl", "folder/secret.jsonl", "../../outside0/secret.jsonl", str(outside / "secret.jsonl")):
        project.write("manifests/a.yaml", ASSETS.replace("rows.jsonl", name))
        told = project.fails()
        assert "lies outside the project folder" in told
        assert "s3cret" not in told
    project.write("manifests/a.yaml", ASSETS)
    (project.folder / "manifests/x.yaml").symlink_to(outside / "secret.yaml")
    assert "lies outside the project folder" in project.fails()


def test_local_pictures_count_by_their_bytes(project: Project) -> None:
    """A file named by an image variable is its path and sha256, is inlined in the payload, and must not change."""
    picture = project.write("manifests/pics/a.svg", "<svg/>")
    project.rows({"id": "a", "title": "A", "photo": "pics/a.svg"})
    found = project.read()
    asset = next(iter(found))
    sha256 = hashlib.sha256(b"<svg/>").hexdigest()
    assert json.loads(asset.variables)["photo"] == {"$file": "manifests/pics/a.svg", "sha256": sha256}
    uri = found.payload(asset.key, asset.variables)["photo"]
    assert isinstance(uri, str)
    kind, _, body = uri.partition(",")
    assert (kind, b64decode(body)) == ("data:image/svg+xml;base64", b"<svg/>")
    picture.write_text("<svg></svg>")
    assert next(iter(project.read())).fingerprint != asset.fingerprint
    with pytest.raises(InputError, match="changed since it was planned"):
        found.payload(asset.key, asset.variables)
    picture.unlink()
    assert found.payload(asset.key, asset.variables)["photo"] == "manifests/pics/a.svg"
    assert "no such picture: pics/a.svg" in str(project.read().problems[0])


@pytest.mark.parametrize("value", ["https://x.example/a.png", "data:image/png;base64,AA", "//x.example/a", ""])
def test_remote_pictures_stay_as_they_are(project: Project, value: str) -> None:
    """Only names without a scheme are local files."""
    project.rows({"id": "a", "title": "A", "photo": value})
    assert json.loads(next(iter(project.read())).variables)["photo"] == value


def test_local_pictures_may_be_refused_for_remote_providers(project: Project) -> None:
    """The setting local_pictures: refuse makes a local file an error at its row, for a remote provider only."""
    project.write("manifests/a.svg", "<svg/>")
    project.rows({"id": "a", "title": "A", "photo": "a.svg"})
    project.read(local_pictures="refuse")
    told = project.fails(local_pictures="refuse", provider="pictify")
    assert "manifests/rows.jsonl:1:1: the local picture 'a.svg' is not sent to a provider" in told


def test_sensitive_values_are_nowhere_but_in_payloads(project: Project) -> None:
    """A sensitive value is kept as a keyed digest, restored by its row, and an outdated digest is refused."""
    project.rows({"id": "a", "title": "A", "email": "a@x.example"}, {"id": "b", "title": "B", "email": "b@x.example"})
    found = project.read()
    asset = next(iter(found))
    assert "x.example" not in repr(list(found))
    assert found.payload(asset.key, asset.variables)["email"] == "a@x.example"
    assert next(iter(project.read(sensitive_key=b"other"))).fingerprint.variables != asset.fingerprint.variables
    old = asset.variables.replace(keyed_digest(b"k" * 32, '"a@x.example"'), "0" * 32)
    with pytest.raises(InputError, match="no longer in the manifests"):
        found.payload(asset.key, old)
    with pytest.raises(InputError, match="no longer in the manifests"):
        found.payload(AssetKey("gone/a@default"), asset.variables)
    project.edit("manifests/a.yaml", lambda text: text.replace("email | default('')", "email | int"))
    assert "x.example" not in project.fails()


def test_no_failure_of_an_expression_names_a_value_that_it_reads(project: Project) -> None:
    """A name looked up, a text made of a value and its last letter stay out of `where`, keys and other variables."""
    hidden = "title: {type: text, sensitive: true"
    project.edit("manifests/card.yaml", lambda text: text.replace("title: {type: text", hidden))
    project.rows({"id": "a", "title": "Zanzibar Q", "photo": "", "email": "mail"})
    whole = (project.folder / "manifests/a.yaml").read_text(encoding="utf-8")
    for failing in ("row[title]", "row[title | slug]", "title | slug | int", "title | last | int", "{'a': 1}[title]"):
        where = f'where: "{{{{ {failing} == 1 }}}}"\n'
        project.write("manifests/a.yaml", whole + where)
        told = project.fails().lower()
        assert "zanzibar" not in told, failing
        assert "'q'" not in told, failing
        assert "'(sensitive)'" in told or "its value is sensitive" in told, failing
    project.write("manifests/a.yaml", whole + 'where: "{{ title.width == 1 and row.absent == 1 }}"\n')
    assert "its value is sensitive" in project.fails()


def test_words_of_an_expression_inside_a_sensitive_list_are_no_values(project: Project) -> None:
    """What names a column is no value, so the variable that fails is named; a constant beside it stays hidden."""
    project.edit("manifests/card.yaml", lambda text: text + "  tags: {type: array, sensitive: true}\n")
    project.edit("manifests/card.html", lambda text: text + "{{tags}}")
    project.rows({"id": "a", "title": "A", "photo": "constant-of.png", "email": "mail"})
    tags = 'variables:\n  tags: ["{{ email }}", {deep: ["{{ email }} such picture"]}, constant]'
    project.edit("manifests/a.yaml", lambda text: text.replace("variables:", tags))
    assert "no such picture: (sensitive)-of.png" in "\n".join(map(str, project.read().problems))


def test_a_sensitive_local_picture_is_sent_and_never_named(project: Project) -> None:
    """Its bytes go to the provider like any picture's; its path is in no asset, and in no problem of its row."""
    project.edit("manifests/card.yaml", lambda text: text.replace("{type: image,", "{type: image, sensitive: true,"))
    picture = project.write("manifests/portrait-of-ada.svg", "<svg></svg>")
    project.rows({"id": "a", "title": "A", "photo": "portrait-of-ada.svg"}, {"id": "b", "title": "B", "photo": ""})
    found = project.read()
    asset = next(iter(found))
    assert "portrait" not in repr(list(found))
    assert found.payload(asset.key, asset.variables)["photo"] == "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4="
    picture.write_text("<svg/>")
    with pytest.raises(InputError) as raised:
        found.payload(asset.key, asset.variables)
    assert "portrait" not in str(raised.value)
    assert "changed since it was planned" in str(raised.value)
    picture.unlink()
    assert "no such picture: (sensitive)" in "".join(map(str, project.read().problems))
    refused = project.fails(local_pictures="refuse", provider="pictify") if picture.write_text("<svg/>") else ""
    assert "portrait" not in refused


def test_revisions_follow_what_shapes_a_layout(project: Project) -> None:
    """Html and defaults change all layouts, a size its own layout, a display name or a new layout none."""

    def revisions() -> tuple[dict[str, str], str]:
        found = project.read("manifests/a.yaml")
        return dict(found.templates[0].revisions), found.templates[0].digest

    before, pushed = revisions()
    project.edit("manifests/card.yaml", lambda text: text.replace("name: Square", "name: Quadrat"))
    renamed, renamed_digest = revisions()
    assert (renamed == before, renamed_digest == pushed) == (True, False)
    project.edit(
        "manifests/card.yaml", lambda text: text.replace("layouts:", "layouts:\n  tall: {width: 9, height: 99}")
    )
    assert {**revisions()[0], **before} == revisions()[0]
    project.edit("manifests/card.yaml", lambda text: text.replace("1080, height", "1081, height"))
    resized = revisions()[0]
    assert (resized["default"] == before["default"], resized["square"] == before["square"]) == (True, False)
    project.edit("manifests/card.html", lambda text: text + " ")
    assert not set(revisions()[0].values()) & set(resized.values())
    project.edit("manifests/card.html", lambda text: text[:-1])
    project.edit("manifests/card.yaml", lambda text: text.replace('default: ""', 'default: "x.png"', 1))
    assert not set(revisions()[0].values()) & set(resized.values())


def test_files_that_html_names_are_part_of_the_revision(project: Project) -> None:
    """A local picture of the html is inlined; its bytes count."""
    project.edit("manifests/card.html", lambda text: text + '<img src="logo.svg">')
    logo = project.write("manifests/logo.svg", "<svg/>")
    one = project.read().templates[0]
    assert "logo.svg" not in one.html
    assert "logo.svg" in one.source
    logo.write_text("<svg></svg>")
    assert project.read().templates[0].revisions != one.revisions


def test_undeclared_templates_take_their_revision_from_the_state(project: Project) -> None:
    """A uid has the revision, layouts and rules that state knows, else the revision 'unknown'."""
    project.write("manifests/a.yaml", ASSETS.replace("template: card", "template: XA12"))
    assert {asset.spec.template_revision for asset in project.read(provider="pictify")} == {UNKNOWN_REVISION}
    record = TemplateRecord(
        name="XA12",
        provider="local",
        uid="XA12",
        digest="",
        revisions={"default": "r1", "square": "r2"},
        source="",
        variables=(VariableRule("title", max_length=3),),
        layouts={"default": LayoutSize(1, 1), "square": LayoutSize(1, 1)},
    )
    known = {("local", "XA12"): record}
    assert {asset.spec.template_revision for asset in project.read(templates=known)} == {"r1", "r2"}
    project.rows({"id": "a", "title": "long"})
    assert "at most 3 are allowed" in project.fails(templates=known)
    only = {("local", "XA12"): replace(record, layouts={"default": LayoutSize(1, 1)})}
    assert "has no layout 'square'" in project.fails(templates=only)


def test_a_uid_of_the_embedded_provider(project: Project) -> None:
    """It holds what is declared, and what the state saw there; a slip of the pen is an error at its place."""
    project.write("manifests/a.yaml", ASSETS.replace("template: card", "template: crad"))
    assert "manifests/a.yaml:2:11: no template 'crad' is declared; did you mean 'card'?" in project.fails()
    project.write("manifests/a.yaml", ASSETS.replace("template: card", "template: XA12"))
    assert "manifests/a.yaml:2:11: no template 'XA12' is declared; there are: card" in project.fails()
    seen = TemplateRecord("XA12", "local", "XA12", "", {}, "")
    assert len(project.read(templates={("local", "XA12"): seen})) == 4
    gone = TemplateRecord("XA12", "local", "uid", "d", {}, "")  # was declared once
    assert "no template 'XA12' is declared" in project.fails(templates={("local", "XA12"): gone})
    assert len(project.read(provider="pictify")) == 4


def test_engines_and_fonts_count_for_the_local_provider_only(project: Project) -> None:
    """A remote provider has no engine; the local one's depends on the fonts of template and settings."""
    project.edit("manifests/card.html", lambda text: text + "<style>b {font-family: 'Lora'}</style>")
    assert next(iter(project.read(fonts=lambda _: ("Inter", "Lora")))).spec.engine == "takumi Lora,Inter"
    assert next(iter(project.read(provider="pictify"))).spec.engine == ""


@pytest.mark.parametrize("line", ["quality: 0.5", "options: {quality: 0.5}", "quality: 0.5\noptions: {quality: 0.50}"])
def test_quality_is_an_option_wherever_it_stands(project: Project, line: str) -> None:
    """At the top of a manifest and under `options` it is the same, and both may say it."""
    project.edit("manifests/a.yaml", lambda text: f"{text}{line}\n")
    assert {asset.spec.options for asset in project.read()} == {'{"quality":0.5}'}


def test_options_and_formats_are_those_of_the_provider(project: Project) -> None:
    """Another provider has options and formats of its own; what is not set takes no part in a spec."""

    class Film(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)

        seed: int | None = None
        voice: str = "Ada"

    formats = {"film": ("mp4",)}
    project.context = replace(
        project.context, options=lambda _: Film, formats=lambda name: formats.get(name, ("png", "webp"))
    )
    project.edit("manifests/a.yaml", lambda text: text.replace("webp", "mp4") + "provider: film\noptions: {seed: 7}\n")
    assert {(asset.spec.format, asset.spec.options) for asset in project.read()} == {
        ("mp4", '{"seed":7,"voice":"Ada"}')
    }
    project.edit("manifests/a.yaml", lambda text: text.replace("seed: 7", "seed: x").replace("mp4", "webp"))
    with pytest.raises(InputError) as caught:
        project.read()
    assert [problem.message for problem in caught.value.problems] == [
        "'format' should be 'mp4', not 'webp'",
        "'seed' should be a whole number, not 'x'",
    ]


def test_a_provider_that_there_is_not_is_told_at_its_name(project: Project) -> None:
    """The nearest name is given; a name from the settings is said to be one."""

    def instead_of(name: str) -> tuple[str, ...]:
        return () if name in ("local", "pictify") else ("local", "pictify")

    assert len(project.read(instead_of=instead_of)) == 4
    told = project.fails(provider="pictfy", instead_of=instead_of)
    assert "a.yaml:1:1: there is no provider 'pictfy', which the settings name; did you mean 'pictify'?" in told
    project.edit("manifests/a.yaml", lambda text: text + "provider: x\n")
    told = project.fails(instead_of=instead_of)
    assert "a.yaml:12:11: there is no provider 'x'; there are: local, pictify" in told


def test_characters_without_a_glyph_are_told_at_their_row(project: Project) -> None:
    """A row that no font can draw is a warning with its line and characters."""
    project.rows({"id": "a", "title": "fine"}, {"id": "b", "title": "漢"})
    (warning,) = project.read().problems
    assert str(warning).startswith("manifests/rows.jsonl:2:1: no font can draw 漢 (U+6F22)")
    assert not project.read(glyphs=False).problems
    assert not project.read(inspector=FakeInspector(draws="漢")).problems


def test_where_leaves_rows_out(project: Project) -> None:
    """Only rows for which the condition is true become assets."""
    project.edit("manifests/a.yaml", lambda text: text + "where: \"{{ title == 'A' }}\"\n")
    assert [asset.key for asset in project.read()] == ["a/a@default", "a/a@square"]


def test_inline_and_nested_variables_keep_their_types(project: Project) -> None:
    """Values of any JSON type pass through; texts at any depth are expressions."""
    project.write(
        "manifests/a.yaml",
        "version: 1\ntemplate: u\nkey: x\nrows:\n  - {n: 1.5}\nvariables:\n"
        "  a: {list: ['{{ n }}', '{{ n }}!', 1, null, true], more: {deep: '{{ row }}'}}\n  b: 0x1F\n",
    )
    (asset,) = project.read(provider="pictify")
    assert json.loads(asset.variables) == {
        "a": {"list": [1.5, "1.5!", 1, None, True], "more": {"deep": {"n": 1.5}}},
        "b": 31,
    }
    assert (asset.output, asset.origin.line) == ("a/x.default.png", 5)
    assert asset.fingerprint.variables == digest(asset.variables)


def test_several_providers_may_use_one_template(project: Project) -> None:
    """A declared template is pushed to each provider that its manifests name."""
    other = ASSETS.replace("out/", "b/") + "provider: pictify\n"
    project.write("manifests/b.yaml", other)
    assert [(source.name, source.provider) for source in project.read().templates] == [
        ("card", "local"),
        ("card", "pictify"),
    ]


def test_an_empty_folder_asks_for_nothing(tmp_path: Path) -> None:
    """No manifests are no assets; a missing root is an error."""
    context = ReadContext(project=tmp_path, root=tmp_path / "manifests", **OFFLINE)
    with pytest.raises(InputError, match="no such file or folder"):
        read_manifests([], context)
    (tmp_path / "manifests").mkdir()
    assert list(read_manifests([], context)) == []
