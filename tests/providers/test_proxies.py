"""Pictures are fetched by the proxy and the certificates that the environment names, as httpx does for all else."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pictify_sync.clients import client, direct_client, goes_by_proxy
from pictify_sync.errors import DownloadError, ProviderUnavailable
from pictify_sync.providers.transport.downloads import Downloads
from pictify_sync.providers.transport.images import Fetcher

HOST = "cdn.example"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


def certificates(folder: Path) -> Path:
    """Make an authority of our own and a certificate of the host; gives the authority's file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "our authority")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(7).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    made = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, hashes.SHA256())
    text = made.public_bytes(serialization.Encoding.PEM)
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(text + key.private_bytes(*plain))
    (folder / "ca.pem").write_bytes(text)
    return folder / "ca.pem"


class Proxy:
    """A proxy on loopback that leads every CONNECT to a TLS server of ours; keeps whom it was asked for."""

    def __init__(self, pem: Path) -> None:
        self.asked: list[str] = []
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(pem)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            with connection:
                line = connection.recv(65536).split(b"\r\n")[0].decode()
                if not line:
                    return
                self.asked.append(line)
                connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                try:
                    with self._tls.wrap_socket(connection, server_side=True) as inner:
                        inner.recv(65536)
                        inner.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\npicture")
                except OSError:
                    continue  # whoever called does not trust us

    def close(self) -> None:
        """End it with a connection that says nothing."""
        with socket.create_connection(self._listening.getsockname()):
            pass
        self._thread.join()
        self._listening.close()


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The environment names a proxy and an authority."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates(tmp_path)))
    running = Proxy(tmp_path / "server.pem")
    monkeypatch.setenv("HTTPS_PROXY", running.url)
    yield running
    running.close()


def unknown(host: str) -> list[str]:
    """Behind a proxy names of the world are often not known."""
    raise OSError(f"{host} is not known here")


def download(url: str) -> bytes:
    """As the provider fetches a picture."""
    with httpx.Client(base_url="https://api.example") as own:
        made = Downloads(own, direct_client(), (HOST, "10.0.0.8"), resolve=unknown)
        made.proxied = client()
        try:
            return b"".join(made.stream(url))
        finally:
            made.close()


def fetch(url: str) -> bytes:
    """As the embedded server fetches a picture of a template."""
    return Fetcher((HOST, "10.0.0.8"), resolve=unknown)(url)


WAYS = [download, fetch]


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_comes_by_the_proxy(proxy: Proxy, way: Callable[[str], bytes]) -> None:
    """The proxy is asked for the host by its name, and the certificate is that of the named authority."""
    assert way(f"https://{HOST}/a.png") == b"picture"
    assert proxy.asked == [f"CONNECT {HOST}:443 HTTP/1.1"]


@pytest.mark.parametrize("way", WAYS)
def test_an_authority_that_is_not_named_is_not_trusted(
    proxy: Proxy, way: Callable[[str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without SSL_CERT_FILE the certificate is one of nobody."""
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises((ProviderUnavailable, OSError), match="ConnectError"):
        way(f"https://{HOST}/a.png")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("left_out", [HOST, "example", ".example", "*", "other.example, cdn.example:443"])
def test_a_host_that_is_left_out_is_asked_directly(
    proxy: Proxy, way: Callable[[str], bytes], monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    """Then its name is resolved and checked here, as ever."""
    monkeypatch.setenv("NO_PROXY", left_out)
    with pytest.raises((ProviderUnavailable, OSError), match=r"resolved|not known here"):
        way(f"https://{HOST}/a.png")
    assert proxy.asked == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("url", ["https://evil.example/a.png", "https://10.0.0.8/a.png"])
def test_a_proxy_lifts_no_rule_on_hosts(proxy: Proxy, way: Callable[[str], bytes], url: str) -> None:
    """Hosts that are not allowed, and private addresses, are refused before anybody is asked."""
    with pytest.raises((DownloadError, ValueError)):
        way(url)
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("left_out", "expected"), [("", True), ("ample", True), ("other.example", True), ("http://cdn.example", True)]
)
def test_what_is_not_left_out_goes_by_the_proxy(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, left_out: str, expected: bool
) -> None:
    """Part of a name, another host and another scheme leave nothing out."""
    monkeypatch.setenv("NO_PROXY", left_out)
    assert goes_by_proxy(httpx.URL(f"https://{HOST}/")) is expected
