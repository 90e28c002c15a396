"""The folder of accepted deliveries: each once, whole, durable, in one order."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pictify_sync.core.ports import Delivery, Inbox
from pictify_sync.errors import AuthenticationFailed, ProviderError, ProviderUnavailable, StateError, UsageError
from pictify_sync.providers.pictify.webhooks import PictifyWebhooks
from pictify_sync.webhooks.files import FileInbox
from pictify_sync.webhooks.receiver import Receiver, ReceiverOptions
from pictify_sync.webhooks.remote import RemoteInbox
from tests.providers.clock import FakeClock

TOKEN = SecretStr("inbox-token")


def delivery(name: str, body: str = "") -> Delivery:
    """One that says its own name."""
    return Delivery(name, 1.5, body or f'{{"is":"{name}"}}')


def direct(root: Path) -> Inbox:
    """The folder itself."""
    return FileInbox(root)


def remote(root: Path) -> Inbox:
    """The folder through a receiver."""
    app = Receiver(ReceiverOptions(root, (SecretStr("whsec"),), PictifyWebhooks(), token=TOKEN), FakeClock())
    return RemoteInbox("https://receiver.example/inbox", TOKEN, transport=httpx.WSGITransport(app))


@pytest.mark.parametrize("read", [direct, remote])
def test_what_was_put_is_read(tmp_path: Path, read: Callable[[Path], Inbox]) -> None:
    """Every delivery comes back once with all its fields, also over several pages; the order is that of any reader."""
    put = FileInbox(tmp_path)
    wanted = [Delivery(f"del_{n}", n / 2, f'{{"n":{n},"ü":"\\u2028"}}') for n in range(620)]
    assert list(read(tmp_path).deliveries()) == []
    for one in wanted:
        assert put.put(one)
    found = list(read(tmp_path).deliveries())
    assert sorted(found, key=lambda one: one.received_at) == wanted
    assert found == list(put.deliveries())


def test_what_an_older_version_kept_is_read(tmp_path: Path) -> None:
    """A file with the field `late`, which deliveries had before, is the same delivery without it."""
    inbox = FileInbox(tmp_path)
    inbox.put(delivery("a"))
    (kept,) = (tmp_path / "ids").rglob("*.json")
    body = json.dumps({"event": "render.completed", "data": {"url": "u", "variables": {"$digest": "d"}}})
    kept.write_text(json.dumps({"id": "a", "received_at": 1.5, "body": body, "late": True}))
    (found,) = inbox.deliveries()
    assert found == Delivery("a", 1.5, body)
    render = PictifyWebhooks().read(found)
    assert render is not None
    assert (render.url, render.variables) == ("u", "d")


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=6))
def test_order_and_repeats_change_nothing(order: list[int], again: list[int]) -> None:
    """However deliveries come, and however often, the inbox reads the same."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        for n in range(6):
            FileInbox(Path(one)).put(delivery(f"d{n}"))
        kept = [FileInbox(Path(other)).put(delivery(f"d{n}")) for n in [*order, *again]]
        assert kept == [True] * 6 + [False] * len(again)
        assert list(FileInbox(Path(one)).deliveries()) == list(FileInbox(Path(other)).deliveries())


def test_equal_ids_and_equal_bodies_are_one(tmp_path: Path) -> None:
    """A retry with the same id and another body is dropped, and so is a body that was kept under another id."""
    inbox = FileInbox(tmp_path)
    assert inbox.put(delivery("a"))
    assert not inbox.put(delivery("a", "other"))
    assert not inbox.put(delivery("b", delivery("a").body))
    assert [one.id for one in inbox.deliveries()] == ["a"]


@given(st.text())
def test_any_id_stays_in_the_folder(name: str) -> None:
    """Ids are opaque: dots, slashes and half characters included."""
    with tempfile.TemporaryDirectory() as folder:
        inbox = FileInbox(Path(folder) / "inbox")
        assert inbox.put(delivery(name, "{}"))
        assert [one.id for one in inbox.deliveries()] == [name]
        assert [path.name for path in Path(folder).iterdir()] == ["inbox"]


def test_threads_keep_each_once(tmp_path: Path) -> None:
    """Of many that put the same delivery at once, one is told that it was new."""
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda n: FileInbox(tmp_path).put(delivery(f"d{n % 5}")), range(80)))
    assert sum(kept) == 5
    assert len(list(FileInbox(tmp_path).deliveries())) == 5


KILLED = """
import sys
from pathlib import Path
from pictify_sync.core.ports import Delivery
from pictify_sync.providers.pictify.webhooks import PictifyWebhooks
from pictify_sync.webhooks.files import FileInbox
inbox = FileInbox(Path(sys.argv[1]))
for n in range(100_000):
    inbox.put(Delivery(f"d{n}", 1.0, f"body {n}"))
    print(n, flush=True)
"""


def test_killed_at_any_time(tmp_path: Path) -> None:
    """What was kept is there after SIGKILL, everything reads, and a delivery that was cut off can come again."""
    for lines in (1, 7, 30):
        root = tmp_path / str(lines)
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(root)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(lines)]
        child.send_signal(signal.SIGKILL)
        told += [int(line) for line in child.stdout.read().split("\n") if line]
        child.wait()
        child.stdout.close()
        inbox = FileInbox(root)
        found = {one.id for one in inbox.deliveries()}
        assert found >= {f"d{n}" for n in told}
        last = f"d{max(told) + 1}"
        assert inbox.put(Delivery(last, 1.0, f"body {max(told) + 1}")) or last in {one.id for one in inbox.deliveries()}


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """What cannot be written is an error that names the inbox."""
    (tmp_path / "inbox").write_text("a file")
    with pytest.raises(StateError, match="inbox"):
        FileInbox(tmp_path / "inbox").put(delivery("a"))


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b'{"id":1,"received_at":1,"body":"","late":false}'])
def test_a_strange_file_is_told(tmp_path: Path, content: bytes) -> None:
    """A file that is no delivery is an error that names it; a link is not followed."""
    inbox = FileInbox(tmp_path)
    inbox.put(delivery("a"))
    (kept,) = (tmp_path / "ids").rglob("*.json")
    kept.unlink()
    kept.write_bytes(content)
    with pytest.raises(StateError, match=kept.name):
        list(inbox.deliveries())
    kept.unlink()
    kept.symlink_to("/etc/hostname")
    with pytest.raises(StateError, match=kept.name):
        list(inbox.deliveries())


def test_a_receiver_elsewhere_needs_its_token(tmp_path: Path) -> None:
    """No token, another token, or a token in clear: nothing is read, and the token is in no message."""
    app = Receiver(ReceiverOptions(tmp_path, (SecretStr("whsec"),), PictifyWebhooks(), token=TOKEN), FakeClock())
    with pytest.raises(UsageError):
        RemoteInbox("https://receiver.example/inbox", None)
    with pytest.raises(UsageError):
        RemoteInbox("http://receiver.example/inbox", TOKEN)
    other = RemoteInbox("https://r.example/inbox", SecretStr("guess-guess"), transport=httpx.WSGITransport(app))
    with pytest.raises(AuthenticationFailed) as caught:
        list(other.deliveries())
    assert "guess" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(503), ProviderUnavailable),
        (httpx.Response(404), ProviderError),
        (httpx.Response(200, text="<html>"), ProviderError),
        (httpx.Response(200, json={"deliveries": [{"id": 1}], "next": None}), ProviderError),
        (httpx.Response(302, headers={"location": "https://elsewhere.example"}), ProviderError),
    ],
)
def test_another_answer_is_no_inbox(answer: httpx.Response, error: type[Exception]) -> None:
    """Whatever is not a receiver's page is told, and redirects are not followed."""
    inbox = RemoteInbox("https://r.example/inbox", TOKEN, transport=httpx.MockTransport(lambda _: answer))
    with pytest.raises(error):
        list(inbox.deliveries())
