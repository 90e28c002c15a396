"""Settings: a strict file, and the environment over it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.cli.root import DEBUG
from pictify_sync.errors import InputError, Severity
from pictify_sync.providers.registry import parts
from pictify_sync.settings import Settings, load_settings
from pictify_sync.wiring.provider_settings import provider_settings


def load(folder: Path, text: str | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Load settings of a folder, whose file holds the text if there is one."""
    if text is not None:
        (folder / "pictify-sync.yaml").write_text(text, encoding="utf-8")
    return load_settings(None, environ or {}, parts, cwd=folder)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    """No file means the documented defaults, and the working directory as the project."""
    found = load(tmp_path)
    engine = provider_settings(found, "local").engine
    assert (found.provider, engine, found.guard.max_delete_percent) == ("local", "takumi", 30)
    assert found.path(found.manifests) == tmp_path / "manifests"
    assert (found.file, found.secret("PICTIFY_API_KEY"), found.warnings) == (None, None, ())


def test_the_file_is_read_and_names_the_project(tmp_path: Path) -> None:
    """Paths are relative to the file's folder; limits of a provider are given by name."""
    (tmp_path / "staging").mkdir()
    file = tmp_path / "staging" / "other.yaml"
    file.write_text("version: 1\nprovider: pictify\nproviders:\n  pictify: {plan: pro, max_open: 3}\n")
    found = load_settings(file, {}, parts, cwd=tmp_path)
    pictify = provider_settings(found, "pictify")
    assert (found.project, pictify.plan, pictify.given()) == (file.parent, "pro", {"max_open": 3})
    assert provider_settings(found, "local").given() == {}


def test_the_environment_overlays_the_file(tmp_path: Path) -> None:
    """Variables win over the file, at any depth, with lists between commas and texts as they are."""
    found = load(
        tmp_path,
        "guard: {min_recorded: 5}\nproviders: {local: {fonts: [A], workers: 8}}\n",
        {
            "PICTIFY_SYNC_GUARD__MAX_RENDERS": "12",
            "PICTIFY_SYNC_PROVIDERS__LOCAL__FONTS": "Inter, Noto Sans",
            "PICTIFY_SYNC_PROVIDERS__LOCAL__WORKERS": "null",
            "PICTIFY_SYNC_OUTPUT": "007",
            "PICTIFY_SYNC_PROVIDERS__PICTIFY__MAX_ITEMS": "25",
            "PICTIFY_API_KEY": "s3cret",
            "HOME": "/root",
        },
    )
    local, key = provider_settings(found, "local"), found.secret("PICTIFY_API_KEY")
    assert (found.guard.min_recorded, found.guard.max_renders, found.output) == (5, 12, "007")
    assert (local.workers, local.fonts) == (None, ["Inter", "Noto Sans"])
    assert provider_settings(found, "pictify").given() == {"max_items": 25}
    assert key is not None
    assert key.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(found)


def test_the_variable_that_shows_stack_traces_is_no_setting(tmp_path: Path) -> None:
    """An unexpected error names it in its hint, so that a command runs with it."""
    assert load(tmp_path, None, {DEBUG: "1"}).version == 1


def test_lists_of_a_provider_stand_between_commas(tmp_path: Path) -> None:
    """As those of the top do."""
    found = load(tmp_path, None, {"PICTIFY_SYNC_PROVIDERS__PICTIFY__URL_SOURCES": "results, single"})
    assert provider_settings(found, "pictify").url_sources == ["results", "single"]


def test_all_problems_are_told_with_their_places(tmp_path: Path) -> None:
    """Unknown fields and wrong values of the file are told at once, with the nearest right names."""
    text = "version: 1\nversion: 1\nmanifest: a\n"
    text += "providers: {local: {engine: blink}, pictfy: {}}\n"
    text += "guard:\n  max_render: 3\n  max_delete_percent: 300\napi_key: x\n"
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    told = [str(problem) for problem in caught.value.problems]
    assert [line.split("; there are")[0] for line in told] == [
        "pictify-sync.yaml:2:1: duplicate key 'version', as at 1:1; remove or rename one of the two",
        "pictify-sync.yaml:3:1: unknown field 'manifest'; did you mean 'manifests'?",
        "pictify-sync.yaml:4:29: 'providers.local.engine' should be 'takumi' or 'chromium', not 'blink'",
        "pictify-sync.yaml:4:37: unknown field 'providers.pictfy'; did you mean 'pictify'?",
        "pictify-sync.yaml:6:3: unknown field 'guard.max_render'; did you mean 'max_renders'?",
        "pictify-sync.yaml:7:23: 'guard.max_delete_percent' should be less than or equal to 100, not 300",
        "pictify-sync.yaml:8:1: unknown field 'api_key'",
    ]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PROVIDERS__LOCAL__WORKERS", "many", "'providers.local.workers' should be a whole number"),
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
        load_settings(tmp_path / "gone.yaml", {}, parts, cwd=tmp_path)


fields = st.sampled_from(
    [
        "WORKERS",
        "GUARD",
        "GUARD__MAX_RENDERS",
        "PROVIDERS__A__PLAN",
        "PROVIDERS__PICTIFY__PLAN",
        "FONTS",
        "VERSION",
        "X__Y__Z",
    ]
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
    assert provider_settings(found, "pictify").url_sources == ["lookup", "results"]
    assert provider_settings(found, "local").url_sources == ["results", "inbox", "lookup"]
    assert provider_settings(found, "pictify").given() == {}
    assert [one.get_secret_value() for one in found.webhook_secrets] == ["whsec_a", "whsec_b"]
    assert found.inbox_token is not None
    assert not {"whsec_a", "t0ken"} & set(repr(found).split("'"))
    with pytest.raises(InputError, match="url_sources"):
        load(tmp_path, "providers: {pictify: {url_sources: [guess]}}\n")


MOVED = {
    "engine: chromium": ("providers.local.engine", "chromium"),
    "fonts: [Inter]": ("providers.local.fonts", ["Inter"]),
    "workers: 3": ("providers.local.workers", 3),
    "render_timeout: 2.5": ("providers.local.render_timeout", 2.5),
    "local: elsewhere": ("providers.local.folder", "elsewhere"),
    "signature_header: X-Signed": ("providers.pictify.signature_header", "X-Signed"),
}


@pytest.mark.parametrize("line", MOVED)
def test_a_former_name_works_with_a_warning(tmp_path: Path, line: str) -> None:
    """In the file and in the environment, once each, with its place and the new name."""
    new, value = MOVED[line]
    old, _, text = line.partition(": ")
    _, provider, field = new.split(".")
    found = load(tmp_path, f"version: 1\n{line}\n")
    assert getattr(provider_settings(found, provider), field) == value
    (told,) = found.warnings
    said = f"'{old}' is '{new}' now: the former name works in this release only; write it as {new}"
    assert (str(told), told.severity) == (f"pictify-sync.yaml:2:1: {said}", Severity.WARNING)
    assert load(tmp_path, "version: 1\n").warnings == ()
    found = load(tmp_path, None, {f"PICTIFY_SYNC_{old.upper()}": text.strip("[]")})
    assert getattr(provider_settings(found, provider), field) == value
    (told,) = found.warnings
    assert f"set PICTIFY_SYNC_PROVIDERS__{provider.upper()}__{field.upper()}" in str(told)


def test_a_former_name_that_contradicts_the_new_one_is_an_error(tmp_path: Path) -> None:
    """Equal values are a warning; a wrong value is told where it stands."""
    both = "workers: 2\nproviders: {local: {workers: %d}}\n"
    assert len(load(tmp_path, both % 2).warnings) == 1
    with pytest.raises(InputError) as caught:
        load(tmp_path, both % 3)
    said = "'workers' is the former name of 'providers.local.workers', which has another value; remove 'workers'"
    assert [str(one) for one in caught.value.problems] == [f"pictify-sync.yaml:1:1: {said}"]
    with pytest.raises(InputError, match=r"pictify-sync.yaml:1:10: 'providers.local.workers' should be"):
        load(tmp_path, "workers: many\n")
    both_set = {"PICTIFY_SYNC_WORKERS": "2", "PICTIFY_SYNC_PROVIDERS__LOCAL__WORKERS": "3"}
    with pytest.raises(InputError, match="PICTIFY_SYNC_WORKERS is the former name of PICTIFY_SYNC_PROVIDERS__LOCAL__W"):
        load(tmp_path, "version: 1\n", both_set)
    over = load(tmp_path, "providers: {local: {workers: 3}}\n", {"PICTIFY_SYNC_WORKERS": "2"})
    assert provider_settings(over, "local").workers == 2
