"""The webhook receiver: forged, repeated, late and oversized deliveries, over WSGI and over a socket."""

from __future__ import annotations

import hmac
import json
import socket
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from itertools import permutations
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from werkzeug.test import Client, TestResponse

from pictify_sync.connections import Watch
from pictify_sync.core.collect import wire_digest
from pictify_sync.core.ports import Delivery
from pictify_sync.errors import BadSignature, UsageError
from pictify_sync.providers.pictify.webhooks import OLDEST, PictifyWebhooks
from pictify_sync.providers.transport.rate import SystemClock
from pictify_sync.webhooks.files import FileInbox
from pictify_sync.webhooks.receiver import MAX_BODY, Receiver, ReceiverOptions, receiving
from tests.providers.clock import FakeClock

SECRET = "whsec_" + "5ecret" * 8
BODY = b'{"event":"render.completed","timestamp":"2026-11-22T09:00:05Z","data":{"url":"https://cdn.example/a.png"}}'
NOW = 1_790_000_000


def signed(body: bytes = BODY, at: int = NOW, secret: str = SECRET) -> str:
    """The header that the provider would send."""
    return f"t={at},v1={hmac.digest(secret.encode(), str(at).encode() + b'.' + body, 'sha256').hex()}"


def verify(header: str, secrets: tuple[str, ...] = (SECRET,)) -> str:
    """Check a signature header of the usual body."""
    return PictifyWebhooks().verify({"x-pictify-signature": header}, BODY, secrets, NOW)


class Sender:
    """A receiver in a folder, and somebody who posts to it."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.clock = FakeClock(NOW)
        self.inbox = FileInbox(folder)
        secrets = (SecretStr("whsec_old"), SecretStr(SECRET))
        usual = {"folder": folder, "secrets": secrets, "format": PictifyWebhooks(), "token": SecretStr("reader")}
        fields: dict[str, Any] = {**usual, **changes}
        self.client = Client(Receiver(ReceiverOptions(**fields), self.clock))

    def post(self, header: str, body: bytes = BODY, name: str = "del_1", path: str = "/webhook") -> TestResponse:
        """Post a delivery."""
        headers = {"X-Pictify-Signature": header, "X-Pictify-Delivery-Id": name, "X-Pictify-Event": "render.completed"}
        return self.client.post(path, data=body, headers=headers, content_type="application/json")

    def kept(self) -> list[str]:
        """Ids in the inbox."""
        return [one.id for one in self.inbox.deliveries()]


class Channel(Namespace):
    """A connection as the server knows it."""

    def __init__(self, **changes: object) -> None:
        usual = {"requests": [], "total_outbufs_len": 0, "will_close": False, "request": None, "addr": ("192.0.2.1", 9)}
        super().__init__(**{**usual, **changes})


@pytest.fixture
def sender(tmp_path: Path) -> Sender:
    """A fresh receiver."""
    return Sender(tmp_path)


def test_a_good_delivery_is_kept(sender: Sender) -> None:
    """A signature by any of the secrets is enough; a body without values is kept as it came."""
    assert sender.post(signed()).json == {"kept": True}
    assert sender.post(signed(b"{}", secret="whsec_old"), b"{}", "del_2").json == {"kept": True}
    assert {one.id: one.body for one in sender.inbox.deliveries()} == {"del_1": BODY.decode(), "del_2": "{}"}


def test_half_open_connections_hold_up_nobody(tmp_path: Path) -> None:
    """Hundreds that send nothing, or half a head, from one peer: a delivery is taken all the same, again and again."""
    options = ReceiverOptions(tmp_path, (SecretStr(SECRET),), PictifyWebhooks(), port=0)
    with receiving(options, FakeClock(NOW)) as url, ExitStack() as held:
        port = int(url.rpartition(":")[2])
        for number in range(3):
            for _ in range(200):
                one = held.enter_context(socket.create_connection(("127.0.0.1", port)))
                one.sendall(b"POST /webhook HTTP/1.1\r\nContent-Le" if number else b"")
            headers = {"X-Pictify-Signature": signed(), "X-Pictify-Delivery-Id": f"del_{number}"}
            assert httpx.post(f"{url}/webhook", content=BODY, headers=headers, timeout=60).status_code == 200


def test_a_request_has_a_time_to_be_complete_in() -> None:
    """A connection that sends byte by byte is closed; one whose request is being answered is not."""
    channels = {1: Channel(), 2: Channel(requests=["one"])}
    watch = Watch(Namespace(active_channels=channels), head=-1.0, body=60.0)
    watch()
    assert (channels[1].will_close, channels[2].will_close) == (True, False)
    channels[3] = Channel(request=Namespace(headers_finished=True))
    watch()
    assert not channels[3].will_close


def test_values_are_not_kept(sender: Sender) -> None:
    """Of variables a digest is kept, by which their picture is found; of a service's words about them nothing is."""
    values = {"email": "ada@example.invalid", "amount": 1.0}
    data = {"url": "https://cdn.example/a.png", "templateUid": "T1", "variables": values, "error": "not ada@example"}
    body = json.dumps({"event": "render.completed", "timestamp": "2026-11-22T09:00:05Z", "data": data}).encode()
    assert sender.post(signed(body), body).json == {"kept": True}
    (kept,) = sender.inbox.deliveries()
    assert "ada" not in kept.body
    read = PictifyWebhooks().read
    seen, whole = read(kept), read(Delivery("del_1", 0.0, body.decode()))
    assert seen is not None
    assert seen == whole
    assert seen.variables == wire_digest(values)
    assert sender.post(signed(b"ada@example.invalid"), b"ada@example.invalid", "del_2").json == {"kept": True}
    assert "ada" not in "".join(one.body for one in sender.inbox.deliveries())


def test_every_changed_byte_is_refused(sender: Sender) -> None:
    """No byte of header or body can be another one."""
    header = signed()
    for place in range(len(header)):
        for other in (chr(ord(header[place]) ^ 1), chr(ord(header[place]) ^ 32), " ", ",", "0", "f"):
            changed = header[:place] + other + header[place + 1 :]
            if changed != header and other.isprintable():
                assert sender.post(changed).status_code == 401, changed
    for place in range(len(BODY)):
        for bit in (1, 32, 128):
            changed_body = BODY[:place] + bytes([BODY[place] ^ bit]) + BODY[place + 1 :]
            assert sender.post(header, changed_body).status_code == 401
    assert sender.kept() == []


@given(st.integers(0, 75), st.characters(), st.data())
def test_no_other_character_passes(place: int, other: str, data: st.DataObject) -> None:
    """Whatever character stands in the header instead, the signature is refused."""
    header = signed()
    place = min(place, len(header) - 1)
    changed = header[:place] + other + header[place + 1 :]
    if changed != header:
        with pytest.raises(BadSignature):
            verify(changed)
    cut = data.draw(st.integers(0, len(header) - 1))
    with pytest.raises(BadSignature):
        verify(header[:cut])


def test_strange_headers_are_refused(sender: Sender) -> None:
    """Nothing, two times, two signatures, another secret, an empty secret, two headers."""
    good = signed()
    at, v1 = good.split(",")
    for bad in ("", ",", at, v1, f"{at},{at},{v1}", f"{good},{v1}", f"{good},t=1", signed(secret="guess")):
        assert sender.post(bad).status_code == 401
    assert sender.post(f"{at},v1={v1[3:].upper()}").status_code == 401
    twice = [("X-Pictify-Signature", good), ("X-Pictify-Signature", good)]
    assert sender.client.post("/webhook", data=BODY, headers=twice).status_code == 401
    with pytest.raises(BadSignature):
        verify(signed(secret=""), ("", ""))
    assert sender.post(f"{v1}, {at},v0=ff").status_code == 200  # another order, and other versions beside it


def test_time_of_the_signature(sender: Sender) -> None:
    """It counts until the last documented retry, and not when it lies ahead by more than the clocks may differ."""
    ages = {0: 200, 300: 200, -300: 200, 301: 200, int(OLDEST): 200, int(OLDEST) + 1: 401, -301: 401}
    for age, status in ages.items():
        body = f'{{"age":{age}}}'.encode()
        assert sender.post(signed(body, NOW - age), body, f"age{age}").status_code == status
    assert set(sender.kept()) == {f"age{age}" for age, status in ages.items() if status == 200}


def test_a_hundred_replays_have_one_effect(sender: Sender) -> None:
    """The same delivery again, at once, late, signed anew or under another id, is kept once."""
    kept = [sender.post(signed()).json["kept"] for _ in range(100)]  # type: ignore[index]
    sender.clock.time += 3_600
    assert sum(kept) == 1
    assert sender.post(signed()).json == {"kept": False}
    assert sender.post(signed(at=NOW + 3_600)).json == {"kept": False}
    assert sender.post(signed(), name="del_forged").json == {"kept": False}
    assert sender.kept() == ["del_1"]


def test_all_orders_end_alike(tmp_path: Path) -> None:
    """Each permutation of five deliveries, one of them twice, leaves the same inbox."""
    bodies = [b'{"n":%d}' % n for n in range(5)]
    seen = set()
    for number, order in enumerate(permutations(range(5))):
        sender = Sender(tmp_path / str(number))
        for n in (*order, order[0]):
            assert sender.post(signed(bodies[n]), bodies[n], f"del_{n}").status_code == 200
        seen.add(tuple((one.id, one.body) for one in sender.inbox.deliveries()))
    assert len(seen) == 1


def test_large_and_broken_bodies(sender: Sender) -> None:
    """Over a megabyte is refused unread; what is not UTF-8 is refused although it is signed."""
    large = b'"' + b"x" * MAX_BODY + b'"'
    assert sender.post(signed(large), large).status_code == 413
    assert sender.post(signed(b"\xff"), b"\xff").status_code == 400
    assert sender.post(signed(), name="two words").status_code == 400
    assert sender.kept() == []


def test_without_an_id_the_body_is_the_id(sender: Sender) -> None:
    """A delivery that names no id is kept once all the same."""
    for _ in range(2):
        assert sender.client.post("/webhook", data=BODY, headers={"X-Pictify-Signature": signed()}).status_code == 200
    assert sender.kept() == [f"sha256:{sha256(BODY).hexdigest()}"]


def test_routes(sender: Sender, tmp_path: Path) -> None:
    """Only one path takes deliveries, the inbox is for the token alone, another header name can be chosen."""
    sender.post(signed())
    assert sender.post(signed(), path="/other").status_code == 404
    assert sender.client.get("/webhook").status_code == 405
    assert sender.client.post("/inbox").status_code == 405
    for header in ("", "Bearer ", "Bearer x", "reader", "Basic reader", "Bearer readér"):
        assert sender.client.get("/inbox", headers={"Authorization": header}).status_code == 401
    found = sender.client.get("/inbox", headers={"Authorization": "bearer reader"})
    assert [one["id"] for one in json.loads(found.data)["deliveries"]] == ["del_1"]
    closed = Sender(tmp_path / "closed", token=None, format=PictifyWebhooks("X-Webhook-Signature"))
    assert closed.client.get("/inbox", headers={"Authorization": "Bearer "}).status_code == 401
    assert closed.post(signed()).status_code == 401
    assert closed.client.post("/webhook", data=BODY, headers={"X-Webhook-Signature": signed()}).status_code == 200


def test_it_needs_a_secret(tmp_path: Path) -> None:
    """Without one, anybody could fill the inbox."""
    for secrets in ((), (SecretStr(""),)):
        with pytest.raises(UsageError):
            Receiver(ReceiverOptions(tmp_path, secrets, PictifyWebhooks()), FakeClock())


def test_a_full_disk_asks_for_another_delivery(tmp_path: Path) -> None:
    """What could not be kept is answered with 500, so that it comes again."""
    (tmp_path / "inbox").write_text("a file")
    assert Sender(tmp_path / "inbox").post(signed()).status_code == 500


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A receiver on a free port."""
    options = ReceiverOptions(tmp_path, (SecretStr(SECRET),), PictifyWebhooks(), token=SecretStr("reader"), port=0)
    with receiving(options, SystemClock()) as found:
        yield found


def test_over_a_socket(url: str) -> None:
    """Deliveries, plain and chunked, are answered within a second; one that is too large is refused."""
    now, took = int(time.time()), list[float]()
    for name, content in (("a", BODY), ("b", iter([b"[", b"1]"]))):
        body = BODY if name == "a" else b"[1]"
        begun = time.monotonic()
        headers = {"X-Pictify-Signature": signed(body, now), "X-Pictify-Delivery-Id": name}
        assert httpx.post(f"{url}/webhook", content=content, headers=headers).json() == {"kept": True}
        took.append(time.monotonic() - begun)
    assert min(took) < 1  # one of them: a machine may be busy
    large = b"x" * (MAX_BODY + 10)
    assert (
        httpx.post(f"{url}/webhook", content=large, headers={"X-Pictify-Signature": signed(large)}).status_code == 413
    )
    found = httpx.get(f"{url}/inbox", headers={"Authorization": "Bearer reader"}).json()
    assert sorted(one["id"] for one in found["deliveries"]) == ["a", "b"]


def test_a_taken_port_is_told(url: str, tmp_path: Path) -> None:
    """Two receivers cannot share a port."""
    options = ReceiverOptions(tmp_path, (SecretStr(SECRET),), PictifyWebhooks(), port=int(url.rpartition(":")[2]))
    with pytest.raises(UsageError, match="in use"), receiving(options, SystemClock()):
        pass


def test_the_address_alone_is_enough(sender: Sender) -> None:
    """Whoever subscribes the bare URL of a receiver, and collects from it, needs no path."""
    for number, path in enumerate(("/", "/webhook", "/webhook/")):
        body = b'{"n": %d}' % number
        assert sender.post(signed(body), body, f"del_{number}", path).status_code == 200
    headers = {"Authorization": "Bearer reader"}
    for path in ("/", "/inbox", "/inbox/"):
        found = sender.client.get(path, headers=headers).json
        assert found is not None
        assert len(found["deliveries"]) == 3
        assert sender.client.get(path).status_code == 401
    assert [sender.client.put(path).status_code for path in ("/", "/webhook", "/inbox", "/other")] == [
        405,
        405,
        405,
        404,
    ]
