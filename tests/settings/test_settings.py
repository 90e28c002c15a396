"""Settings: a strict file, and the environment over it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.errors import InputError
from pictify_sync.settings import Settings, load_settings


def load(folder: Path, text: str | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Load settings of a folder, whose file holds the text if there is one."""
    if text is not None:
        (folder / "pictify-sync.yaml").write_text(text, encoding="utf-8")
    return load_settings(None, environ or {}, cwd=folder)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    """No file means the documented defaults, and the working directory as the project."""
    found = load(tmp_path)
    assert (found.provider, found.engine, found.guard.max_delete_percent) == ("local", "takumi", 30)
    assert found.path(found.manifests) == tmp_path / "manifests"
    assert (found.file, found.api_key, found.base_url) == (None, None, None)


def test_the_file_is_read_and_names_the_project(tmp_path: Path) -> None:
    """Paths are relative to the file's folder; limits of a provider are given by name."""
    (tmp_path / "staging").mkdir()
    file = tmp_path / "staging" / "other.yaml"
    file.write_text("version: 1\nprovider: pictify\nproviders:\n  pictify: {plan: pro, max_open: 3}\n")
    found = load_settings(file, {}, cwd=tmp_path)
    assert (found.project, found.limits("pictify"), found.limits("local")) == (
        file.parent,
        {"plan": "pro", "max_open": 3},
        {},
    )


def test_the_environment_overlays_the_file(tmp_path: Path) -> None:
    """Variables win over the file, at any depth, with lists between commas and texts as they are."""
    found = load(
        tmp_path,
        "guard: {min_recorded: 5}\nfonts: [A]\nworkers: 8\n",
        {
            "PICTIFY_SYNC_GUARD__MAX_RENDERS": "12",
            "PICTIFY_SYNC_FONTS": "Inter, Noto Sans",
            "PICTIFY_SYNC_WORKERS": "null",
            "PICTIFY_SYNC_OUTPUT": "007",
            "PICTIFY_SYNC_PROVIDERS__PICTIFY__MAX_ITEMS": "25",
            "PICTIFY_API_KEY": "s3cret",
            "PICTIFY_BASE_URL": "https://x.example",
            "HOME": "/root",
        },
    )
    assert (found.guard.min_recorded, found.guard.max_renders, found.workers) == (5, 12, None)
    assert (found.fonts, found.output, found.limits("pictify")) == (["Inter", "Noto Sans"], "007", {"max_items": 25})
    assert found.api_key is not None
    assert (found.api_key.get_secret_value(), found.base_url) == ("s3cret", "https://x.example")
    assert "s3cret" not in repr(found)


def test_lists_of_a_provider_stand_between_commas(tmp_path: Path) -> None:
    """As those of the top do."""
    found = load(tmp_path, None, {"PICTIFY_SYNC_PROVIDERS__PICTIFY__URL_SOURCES": "results, single"})
    assert found.url_sources("pictify") == ("results", "single")


def test_all_problems_are_told_with_their_places(tmp_path: Path) -> None:
    """Unknown fields and wrong values of the file are told at once, with the nearest right names."""
    text = "version: 1\nversion: 1\nmanifest: a\n"
    text += "engine: blink\nguard:\n  max_render: 3\n  max_delete_percent: 300\napi_key: x\n"
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    told = [str(problem) for problem in caught.value.problems]
    assert [line.split("; there are")[0] for line in told] == [
        "pictify-sync.yaml:2:1: duplicate key 'version', as at 1:1; remove or rename one of the two",
        "pictify-sync.yaml:3:1: unknown field 'manifest'; did you mean 'manifests'?",
        "pictify-sync.yaml:4:9: 'engine' should be 'takumi' or 'chromium', not 'blink'",
        "pictify-sync.yaml:6:3: unknown field 'guard.max_render'; did you mean 'max_renders'?",
        "pictify-sync.yaml:7:23: 'guard.max_delete_percent' should be less than or equal to 100, not 300",
        "pictify-sync.yaml:8:1: unknown field 'api_key'",
    ]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("WORKERS", "many", "'workers' should be a whole number"),
        ("GUARD__MAX_RENDER", "1", "unknown field 'guard.max_render'; did you mean 'max_renders'?"),
        ("PROVIDER__X", "1", "'provider' should be a text"),
        ("MAX_ASSETS", "9" * 5000, "too many digits"),
        ("", "1", "unknown field"),
    ],
)
def test_bad_variables_are_told(tmp_path: Path, name: str, value: str, message: str) -> None:
    """A variable that sets no field, or sets it wrongly, is an error."""
    with pytest.raises(InputError, match="the environment") as caught:
        load(tmp_path, None, {f"PICTIFY_SYNC_{name}": value})
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["- a", "a: &x 1", "version: 2", "version: 1\nversion: 1", "{", "\x00"])
def test_bad_files_are_refused(tmp_path: Path, text: str) -> None:
    """The file is read as strictly as a manifest."""
    with pytest.raises(InputError, match=r"pictify-sync\.yaml"):
        load(tmp_path, text)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """A settings file that was asked for and is not there is an error."""
    with pytest.raises(InputError, match="cannot be read: no such file"):
        load_settings(tmp_path / "gone.yaml", {}, cwd=tmp_path)


fields = st.sampled_from(
    ["WORKERS", "GUARD", "GUARD__MAX_RENDERS", "PROVIDERS__A__PLAN", "FONTS", "VERSION", "X__Y__Z"]
)


@given(st.dictionaries(fields.map("PICTIFY_SYNC_".__add__), st.text(max_size=8)))
def test_any_environment_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str]) -> None:
    """Whatever the variables hold, there are settings or an InputError."""
    try:
        assert load(tmp_path_factory.getbasetemp(), None, environ).version == 1
    except InputError as error:
        told = str(error)
        assert told


def test_urls_and_webhooks(tmp_path: Path) -> None:
    """Where URLs are looked for has an order and defaults; secrets come from the environment and are shown nowhere."""
    text = "inbox: https://hooks.example/inbox\nproviders:\n  pictify: {url_sources: [lookup, results]}\n"
    found = load(tmp_path, text, {"PICTIFY_WEBHOOK_SECRET": "whsec_a, whsec_b,", "PICTIFY_INBOX_TOKEN": "t0ken"})
    assert found.url_sources("pictify") == ("lookup", "results")
    assert found.url_sources("local") == ("results", "inbox", "lookup")
    assert found.limits("pictify") == {}
    assert [one.get_secret_value() for one in found.webhook_secrets] == ["whsec_a", "whsec_b"]
    assert found.inbox_token is not None
    assert not {"whsec_a", "t0ken"} & set(repr(found).split("'"))
    with pytest.raises(InputError, match="url_sources"):
        load(tmp_path, "providers: {pictify: {url_sources: [guess]}}\n")
