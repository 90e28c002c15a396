"""`doctor`: every part that may be broken is told, with a hint, and never with a traceback or the key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pictify_sync.providers.pictify.server.app import read_meter
from tests.cli.running import Run
from tests.cli.test_terminal import at_terminal
from tests.end_to_end.project import ProjectFolder
from tests.providers.test_canary import CANARY, leaks
from tests.providers.test_served import served

Doctor = Callable[..., Any]  # runs the command, gives its document
ACCOUNT = "provider: pictify\nproviders: {pictify: {poll_seconds: 0.05, requests_per_minute: 60000}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    """A project at an account, as working directory, with a key."""
    project = ProjectFolder(tmp_path / "project", settings=ACCOUNT)
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("PICTIFY_API_KEY", CANARY)
    return project


@pytest.fixture
def doctor(folder: ProjectFolder, run_doctor: Doctor) -> Doctor:
    """Run the command there; gives the parsed document."""
    return run_doctor


@pytest.fixture
def run_doctor(cli: Run) -> Doctor:
    """Run the command as people and as programs do: both say the same, and neither the key."""

    def command(*arguments: str) -> Any:
        said = cli("doctor", *arguments, "--json")
        assert not leaks(said.out + said.talk)
        assert "Traceback" not in said.out + said.talk
        document = json.loads(said.out)
        assert said.code == (0 if document["healthy"] else 1)
        if "--live" not in arguments:
            spoken = cli("doctor", *arguments)
            assert not leaks(spoken.out + spoken.talk)
            assert spoken.code == said.code
            assert len(spoken.out.splitlines()) == len(document["checks"]) + 1
        return document

    return command


def found(document: Mapping[str, Any], subject: str) -> list[tuple[str, str, str]]:
    """(health, message, hint) of all checks of a subject."""
    return [(one["health"], one["message"], one["hint"]) for one in document["checks"] if one["subject"] == subject]


def everything(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A served account; gives the folder of the server."""
    with served(tmp_path / "server", dialect="flat", idempotent=True, loopback_targets=True) as url:
        monkeypatch.setenv("PICTIFY_BASE_URL", url)
        yield tmp_path / "server"


def test_all_is_well(folder: ProjectFolder, doctor: Doctor, account: Path) -> None:
    """Every part is looked at, and nothing is changed."""
    before = everything(folder.folder)
    document = doctor()
    assert document["healthy"]
    subjects = {one["subject"] for one in document["checks"]}
    assert subjects == {"settings", "state", "output", "pictures", "manifests", "account", "clock", "templates",
                        "dialect", "webhooks", "inbox"}  # fmt: skip
    assert everything(folder.folder) == before
    assert read_meter(account) == []


def test_live_finds_out_and_is_used_from_then_on(
    folder: ProjectFolder, doctor: Doctor, cli: Run, account: Path
) -> None:
    """The facts are recorded, shown by doctor and status, and stand in the head of a plan."""
    document = doctor("--live", "--yes")
    assert document["live"] | {"service": ""} == {
        "provider": "pictify", "service": "", "found": True, "billed_min": 1, "billed_max": 1, "notes": [],
    }  # fmt: skip
    assert len(read_meter(account)) == 1
    (known,) = document["dialects"]
    assert (known["results"], known["names_layouts"], known["honours_idempotency_key"]) == ("flat", False, True)
    assert (known["in_use"], known["stale"]) == (True, False)
    assert found(doctor(), "dialect")[0][0] == "ok"
    assert "flat results" in cli("status").out
    assert json.loads(cli("status", "--json").out)["dialects"] == [known]
    plan = json.loads(cli("plan", "--json").out)
    allowed = plan["capabilities"]["pictify"]
    assert (allowed["many_layouts"], allowed["honours_idempotency_key"]) == (False, True)
    assert all(len(batch["layouts"]) == 1 for batch in plan["batches"])
    assert "live check of pictify ended" in cli("history").out


def test_settings_outrank_what_was_found(folder: ProjectFolder, doctor: Doctor, cli: Run, account: Path) -> None:
    """What the user says is done, and doctor tells that it is not so."""
    doctor("--live", "--yes")
    folder.edit("pictify-sync.yaml", " pictify: {", " pictify: {honours_idempotency_key: false, ")
    plan = json.loads(cli("plan", "--json").out)
    assert plan["capabilities"]["pictify"]["honours_idempotency_key"] is False
    assert any("the settings say" in message for _, message, _ in found(doctor(), "dialect"))


def test_another_service_is_another_dialect(
    folder: ProjectFolder, doctor: Doctor, account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found elsewhere does not count, and is told."""
    doctor("--live", "--yes")
    with served(tmp_path / "other") as url:
        monkeypatch.setenv("PICTIFY_BASE_URL", url)
        document = doctor()
    assert found(document, "dialect")[0][0] == "warning"
    assert [one["in_use"] for one in document["dialects"]] == [False]


def test_it_asks_before_it_renders(folder: ProjectFolder, cli: Run, account: Path) -> None:
    """Without a terminal and without --yes nothing is rendered."""
    said = cli("doctor", "--live")
    assert said.code == 1
    assert "--yes" in said.talk
    assert read_meter(account) == []


@pytest.mark.parametrize(("answer", "renders"), [("no", 0), ("y", 0), ("", 0), ("yes", 1)])
def test_only_yes_renders(folder: ProjectFolder, account: Path, answer: str, renders: int) -> None:
    """At a terminal it asks, and says where and how many."""
    _, shown = at_terminal(folder.folder, "doctor", "--live", answer=answer)
    assert "Render up to 4 pictures at http://127.0.0.1" in shown
    assert "Traceback" not in shown
    assert not leaks(shown)
    assert len(read_meter(account)) == renders


@pytest.mark.parametrize(
    ("rule", "health"),
    [
        ("error-before=401", "error"),
        ("error-before=403", "error"),
        ("quota@listTemplates", "warning"),
        ("rate-quota@listTemplates", "warning"),
        ("error-before=418", "error"),
        pytest.param("error-before=503", "error", marks=pytest.mark.full),  # safe calls are tried for seconds
        pytest.param("rate=1", "error", marks=pytest.mark.full),
    ],
)
def test_an_account_that_refuses(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, health: str
) -> None:
    """Told as an error, or as a warning where the key is right; --live then renders nothing that it may not."""
    with served(tmp_path / "server", faults=True, rules=(rule,)) as url:
        monkeypatch.setenv("PICTIFY_BASE_URL", url)
        assert found(doctor(), "account")[0][0] == health
        live = doctor("--live", "--yes")
        assert not live["healthy"]
        assert read_meter(tmp_path / "server") == []


def test_a_key_that_is_missing_or_wrong(
    folder: ProjectFolder, doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to set."""
    with served(tmp_path / "server", tokens=("another",)) as url:
        monkeypatch.setenv("PICTIFY_BASE_URL", url)
        ((health, _, hint),) = found(doctor(), "account")
        assert (health, "key" in hint) == ("error", True)
        monkeypatch.delenv("PICTIFY_API_KEY")
        ((health, _, hint),) = found(doctor(), "account")
        assert (health, "PICTIFY_API_KEY" in hint) == ("error", True)


@pytest.mark.parametrize(
    "url",
    [
        *("http://[", "nonsense", "http://elsewhere.example", f"https://user:{CANARY}@[bad/", "https://a:b/"),
        pytest.param("http://127.0.0.1:9", marks=pytest.mark.full),  # nobody is there: tried for seconds
    ],
)
def test_a_base_url_that_leads_nowhere(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """The key is sent nowhere."""
    monkeypatch.setenv("PICTIFY_BASE_URL", url)
    assert found(doctor(), "account")[0][0] == "error"


def test_templates_webhooks_and_inbox(
    folder: ProjectFolder, doctor: Doctor, account: Path, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A uid that nobody knows; rules that are broken; a subscription that is there."""
    folder.edit("manifests/cards.yaml", "template: card", "template: NOSUCHUID0")
    (folder.folder / "manifests/card.yaml").unlink()
    document = doctor()
    assert ("error", "the provider holds no such template") in [one[:2] for one in found(document, "templates")]
    assert cli("webhooks", "subscribe", "http://127.0.0.1:9/hook?token=secret").code == 0
    assert found(doctor(), "webhooks")[0][0] == "ok"
    folder.write("pictify-sync.yaml", f"version: 1\n{ACCOUNT}inbox: https://receiver.example/inbox\n")
    ((health, _, hint),) = found(doctor(), "inbox")
    assert (health, "PICTIFY_INBOX_TOKEN" in hint) == ("error", True)


def test_settings_that_cannot_be_read(folder: ProjectFolder, doctor: Doctor) -> None:
    """All problems of the file, each with its place."""
    folder.write("pictify-sync.yaml", "version: 1\nnonsense: 1\nguard: {max_renders: many}\n")
    document = doctor()
    assert [one["subject"] for one in document["checks"]] == ["settings", "settings"]
    assert {one["place"] for one in document["checks"]} == {"pictify-sync.yaml:2:1", "pictify-sync.yaml:3:22"}


def test_a_damaged_state_keeps_nothing_else_from_being_looked_at(
    folder: ProjectFolder, doctor: Doctor, account: Path
) -> None:
    """It is told, and the account is asked all the same."""
    (folder.folder / ".pictify-sync").mkdir()
    folder.write(".pictify-sync/state.db", "no database at all, but long enough to be looked at\n" * 100)
    document = doctor()
    assert found(document, "state")[0][0] == "error"
    assert found(document, "account")[0][0] == "ok"
    assert read_meter(account) == []
    assert doctor("--live", "--yes")["live"] is None


def test_manifests_that_are_wrong(folder: ProjectFolder, doctor: Doctor, account: Path) -> None:
    """Each problem with its place; the account is asked all the same."""
    folder.edit("manifests/cards.yaml", "{{ title }}", "{{ nobody }}")
    document = doctor()
    assert found(document, "manifests")[0][0] == "error"
    assert found(document, "account")[0][0] == "ok"


def test_nothing_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_doctor: Doctor) -> None:
    """No settings, no manifests, no state, no account: the embedded engine draws, and nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    document = run_doctor()
    assert found(document, "engine")[-1][0] == "ok"
    assert found(document, "manifests")[0][0] == "warning"
    assert list(tmp_path.iterdir()) == []


def test_local_has_nothing_to_find_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Run) -> None:
    """Its dialect is our own."""
    monkeypatch.chdir(tmp_path)
    said = cli("doctor", "--live", "--yes")
    assert said.code == 1
    assert "local" in said.talk
    assert list(tmp_path.iterdir()) == []
