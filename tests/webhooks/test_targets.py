"""Webhooks go out, never in: addresses inside are refused when registered and when called."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config import clock
from config.errors import Invalid
from reservations.webhooks import post as sending
from reservations.webhooks.addresses import (
    AddressRefused,
    find_addresses,
    is_public,
    refuse_wrong_url,
)
from reservations.webhooks.models import Endpoint
from reservations.webhooks.post import Outcome, post
from tests.engine import Traveller
from tests.webhooks.conftest import MakeReceiver
from tests.webhooks.receiver import Receiver

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104  # to be refused
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:1:1:1:1:80ff:fffe",
]
OUTSIDE = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("number", INSIDE)
def test_what_is_inside(number: str) -> None:
    assert not is_public(ip_address(number))


@pytest.mark.parametrize("number", OUTSIDE)
def test_what_is_outside(number: str) -> None:
    assert is_public(ip_address(number))


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example.com/",
        "ftp://partner.example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "partner.example.com",
        "https://user:password@partner.example.com/",
        "https://partner.example.com/#x",
        "https://partner.example.com:99999/",
        "https://[::1/",
        "https://partner.example.com/ x",
        "https://partner.example.com/\nHost: x",
        "https://pärtner.example.com/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://db/",
        "https://redis.internal/",
        "https://printer.local/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        *(f"https://{f'[{n}]' if ':' in n else n}/" for n in INSIDE),
    ],
)
def test_an_address_inside_is_not_registered(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        refuse_wrong_url(url, may_be_private=False)
    assert list(refused.value.data["errors"]) == ["url"]


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.partner.example.com/seatlock?tenant=7",
        "https://partner.example.com:8443/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
    ],
)
def test_an_address_outside_is(url: str) -> None:
    refuse_wrong_url(url, may_be_private=False)


@pytest.mark.django_db
def test_staff_are_told_why(controller: Traveller, settings: Any) -> None:
    settings.ENV = settings.ENV.model_copy(update={"webhook_private_targets": "off"})
    body = {"url": "https://169.254.169.254/latest/", "events": ["booking.confirmed"]}
    answer = controller.post("operations/webhooks/", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["url"])
    assert not Endpoint.objects.exists()


def meaning(monkeypatch: pytest.MonkeyPatch, *numbers: str) -> list[str]:
    """Let every name stand for these numbers; the names that were asked for."""
    asked: list[str] = []

    def found(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        meant = numbers if host.endswith(".example") else [host]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in meant]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return asked


def send(url: str, *, may_be_private: bool = False, seconds: float = 5.0) -> Outcome:
    return post(url, headers={}, body=b"{}", timeout_seconds=seconds, may_be_private=may_be_private)


def test_a_name_that_means_an_address_inside_is_not_called(
    partner: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it means one outside as well. The twin without the guard arrives."""
    url = f"http://hooks.partner.example:{partner.port}/"
    for numbers in (["127.0.0.1"], ["93.184.216.34", "127.0.0.1"]):
        with monkeypatch.context() as patched:
            meaning(patched, *numbers)
            assert send(url).error == "the address is inside a network"
    assert not partner.got
    with monkeypatch.context() as patched:
        meaning(patched, "127.0.0.1")
        assert send(url, may_be_private=True).status == 200
    assert partner.got[0].headers["host"] == f"hooks.partner.example:{partner.port}"


def test_the_number_that_was_checked_is_the_one_that_is_called(
    partner: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that changes its meaning between two questions is asked for once."""
    asked = meaning(monkeypatch, "127.0.0.1")
    called: list[str] = []
    real = httpcore.SyncBackend.connect_tcp

    def connect(self: Any, host: str, *args: Any, **kwargs: Any) -> Any:
        called.append(host)
        return real(self, host, *args, **kwargs)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    url = f"http://hooks.partner.example:{partner.port}/"
    assert send(url, may_be_private=True).status == 200
    assert called == ["127.0.0.1"]
    assert asked[0] == "hooks.partner.example"
    assert asked.count("hooks.partner.example") == 1


def test_a_name_without_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(AddressRefused):
        find_addresses("nobody.example", 443, may_be_private=False)
    assert send("https://nobody.example/").error == "the name cannot be resolved"


def test_nobody_listens(make_receiver: MakeReceiver) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        outcome = send(f"http://127.0.0.1:{free.getsockname()[1]}/", may_be_private=True)
    assert outcome.status is None
    assert outcome.error.startswith("ConnectError")


@pytest.fixture
def self_signed(tmp_path: Path) -> Iterator[int]:
    """The port of a TLS server with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "both.pem"
    pem.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        try:
            taken, _ = listening.accept()
            with context.wrap_socket(taken, server_side=True) as secure:
                got = b""
                while not got.endswith(b"{}"):  # unread, it would reset the connection
                    got += secure.recv(1000)
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            return

    thread = threading.Thread(target=answer)
    thread.start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(10)


def test_a_certificate_that_nobody_vouches_for_is_refused(self_signed: int) -> None:
    outcome = send(f"https://localhost:{self_signed}/", may_be_private=True)
    assert outcome.status is None
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.error


def test_one_that_is_trusted_is_checked_by_the_name_and_not_by_the_number(
    self_signed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes to the number; the certificate must be the name's."""
    trusting = ssl.create_default_context(cafile=str(tmp_path / "both.pem"))
    monkeypatch.setattr(sending, "_ssl_context", lambda: trusting)
    assert send(f"https://localhost:{self_signed}/", may_be_private=True).status == 200
