"""Connections: pooled, private to a process, through the environment's proxy, never redirected."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from requests.adapters import HTTPAdapter

from django_xcover.client import (
    ConfigurationError,
    ConnectionFailed,
    UnexpectedAnswer,
    XCoverClient,
)
from tests.client import server as does
from tests.client.conftest import API_KEY, Connect, Serve

INS = "KXR4W-9PJTC-INS"
PACKAGE = {"id": INS, "total_price": Decimal("2.10")}


def test_a_second_call_reuses_the_connection(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(200, PACKAGE))
    client = connect(server)

    client.get_quote(INS)
    client.get_quote(INS)

    assert (len(server.seen), server.connections) == (2, 1)


def test_a_refused_call_leaves_the_connection_usable(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(404, {}), does.json(200, PACKAGE))
    client = connect(server)
    with pytest.raises(Exception, match="404"):
        client.get_quote(INS)

    client.get_quote(INS)

    assert server.connections == 1


def test_a_kept_connection_found_dead_is_replaced(serve: Serve, connect: Connect) -> None:
    server = serve(does.raw(does.response(200, b"{}")), does.json(200, PACKAGE))
    client = connect(server)
    client.get_quote(INS)

    answer = client.get_quote(INS)

    assert answer["id"] == INS
    assert server.connections == 2


def test_a_kept_connection_that_dies_under_a_write_leaves_a_doubt(
    serve: Serve, connect: Connect
) -> None:
    server = serve(does.json(200, PACKAGE), does.hang_up)
    client = connect(server)
    client.get_quote(INS)

    with pytest.raises(ConnectionFailed) as caught:
        client.create_booking(INS, {})

    assert caught.value.outcome_known is False
    assert len(server.seen) == 2


def test_a_connection_inherited_over_a_fork_is_not_used(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(does.json(200, PACKAGE))
    client = connect(server)
    client.get_quote(INS)

    monkeypatch.setattr(client._transport, "_pid", -1)
    client.get_quote(INS)

    assert server.connections == 2


def test_threads_share_a_client(serve: Serve, connect: Connect) -> None:
    def echo(server: does.Server, conn: socket.socket, request: does.Seen) -> bool:
        conn.sendall(does.response(201, request.body))
        return True

    client = connect(serve(echo))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: client.create_quote({"n": n}), range(80)))

    assert [answer["n"] for answer in answers] == list(range(80))


def test_a_large_answer_comes_whole(serve: Serve, connect: Connect) -> None:
    text = "£" * 500_000
    client = connect(serve(does.json(200, {"text": text})))

    assert client.get_quote(INS)["text"] == text


def test_a_compressed_answer_is_unpacked(serve: Serve, connect: Connect) -> None:
    body = gzip.compress(b'{"price": 2.10}')
    client = connect(serve(does.raw(does.response(200, body, {"Content-Encoding": "gzip"}))))

    assert str(client.get_quote(INS)["price"]) == "2.10"


def test_an_answer_that_cannot_be_unpacked_is_unexpected(serve: Serve, connect: Connect) -> None:
    garbage = does.response(200, b"no gzip at all", {"Content-Encoding": "gzip"})

    with pytest.raises(UnexpectedAnswer, match="cannot be decompressed") as caught:
        connect(serve(does.raw(garbage))).create_booking(INS, {}, idempotency_key="k")

    assert caught.value.outcome_known is False


def test_a_host_that_has_no_address_was_never_reached(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(ConnectionFailed, match="Name or service not known") as caught:
        connect("https://api.example/x", max_attempts=1).create_quote({})

    assert caught.value.request_sent is False


def test_the_next_address_is_tried_when_one_refuses(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(does.json(200, PACKAGE))
    looked_up = socket.getaddrinfo("127.0.0.1", server.port, 0, socket.SOCK_STREAM)
    refusing = socket.getaddrinfo("127.0.0.2", server.port, 0, socket.SOCK_STREAM)
    real = socket.getaddrinfo

    def both(host: str, *rest: Any) -> Any:
        return [*refusing, *looked_up] if host == "localhost" else real(host, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", both)

    assert connect(server).get_quote(INS)["id"] == INS


def test_a_machine_without_a_thread_to_spare_is_a_failed_connection(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    client = connect(serve(does.json(200, PACKAGE)), max_attempts=1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(ConnectionFailed) as caught:
            client.create_quote({})

    assert caught.value.request_sent is False


def test_an_endless_answer_is_refused(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_xcover.client.http.LARGEST_RESPONSE", 100_000)
    client = connect(serve(does.json(200, {"text": "x" * 200_000})))

    with pytest.raises(UnexpectedAnswer, match="too long"):
        client.get_quote(INS)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, serve: Serve, connect: Connect) -> None:
    elsewhere = serve(does.json(200, PACKAGE))
    server = serve(does.empty(status, {"Location": elsewhere.url}))
    client = connect(server)

    with pytest.raises(UnexpectedAnswer) as caught:
        client.create_quote({})

    assert caught.value.status == status
    assert elsewhere.seen == []


def test_a_redirect_is_not_followed_in_a_lent_session_either(
    serve: Serve, connect: Connect
) -> None:
    elsewhere = serve(does.json(200, PACKAGE))
    server = serve(does.empty(307, {"Location": elsewhere.url}))

    with requests.Session() as session, pytest.raises(UnexpectedAnswer):
        connect(server, session=session).create_quote({})

    assert elsewhere.seen == []


def test_a_redirect_to_nonsense_is_the_same_typed_error(serve: Serve, connect: Connect) -> None:
    client = connect(serve(does.empty(302, {"Location": "http://[::bad"})))

    with pytest.raises(UnexpectedAnswer):
        client.get_quote(INS)


def test_the_proxy_of_the_environment_is_used(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(does.json(200, PACKAGE))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    client = connect("http://api.example/x", allow_insecure=True)

    client.get_quote(INS)

    assert proxy.seen[0].target == f"http://api.example/x/partners/ACME1/quotes/{INS}/"


def test_a_proxy_that_refuses_the_tunnel_never_reached_xcover(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(does.empty(403))
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:PROXYPASS@127.0.0.1:{proxy.port}")
    client = connect("https://api.example/x", max_attempts=2)

    with pytest.raises(ConnectionFailed, match="proxy refused") as caught:
        client.create_quote({})

    assert caught.value.outcome_known is True
    assert len(proxy.seen) == 2
    assert "PROXYPASS" not in f"{caught.value!r}"


def test_a_netrc_entry_does_not_replace_the_signature(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine localhost login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server = serve(does.json(200, PACKAGE))

    connect(server).get_quote(INS)

    assert server.seen[0].headers["authorization"].startswith("Signature ")


def test_a_cookie_is_not_sent_back(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(200, PACKAGE, {"Set-Cookie": "who=you"}))
    client = connect(server)

    client.get_quote(INS)
    client.get_quote(INS)

    assert "cookie" not in server.seen[1].headers


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the authority in the environment."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.mark.usefixtures("trusted")
def test_the_ca_bundle_of_the_environment_is_trusted(
    serve: Serve, connect: Connect, tls: ssl.SSLContext
) -> None:
    server = serve(does.json(200, PACKAGE), tls=tls)
    client = connect(server)

    client.get_quote(INS)
    client.get_quote(INS)

    assert (len(server.seen), server.connections) == (2, 1)


def test_a_certificate_nobody_vouches_for_is_refused_and_not_retried(
    serve: Serve, connect: Connect, tls: ssl.SSLContext
) -> None:
    server = serve(does.json(200, PACKAGE), tls=tls)

    with pytest.raises(ConnectionFailed, match="certificate was not accepted") as caught:
        connect(server).create_quote({})

    assert (caught.value.permanent, caught.value.outcome_known) == (True, True)
    assert (server.seen, server.connections) == ([], 1)


@pytest.mark.usefixtures("trusted")
def test_a_drip_over_tls_is_cut_off(serve: Serve, connect: Connect, tls: ssl.SSLContext) -> None:
    server = serve(does.drip(b"HTTP/1.1 200 OK\r\n\r\n", b" "), tls=tls)

    with pytest.raises(Exception, match="time ran out"):
        connect(server).get_quote(INS, deadline=0.3)


class CountingAdapter(HTTPAdapter):
    sent = 0

    def send(self, *args: object, **kwargs: object) -> requests.Response:
        self.sent += 1
        return super().send(*args, **kwargs)  # type: ignore[arg-type]


def test_a_session_keeps_the_adapter_its_owner_mounted(serve: Serve, connect: Connect) -> None:
    session = requests.Session()
    adapter = CountingAdapter()
    session.mount("http://", adapter)

    connect(serve(does.json(200, PACKAGE)), session=session).get_quote(INS)

    assert adapter.sent == 1


def test_a_slow_body_is_cut_off_in_a_session_with_its_own_adapter(
    serve: Serve, connect: Connect
) -> None:
    session = requests.Session()
    session.mount("http://", CountingAdapter())
    drops = does.drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n")
    client = connect(serve(drops), session=session)

    with pytest.raises(Exception, match="time ran out"):
        client.get_quote(INS, deadline=0.3)


def test_a_session_lent_to_a_client_still_serves_its_owner(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(200, PACKAGE))
    session = requests.Session()
    with connect(server, session=session) as client:
        client.get_quote(INS)

    status = session.get(f"{server.url}/partners/ACME1/").status_code
    session.close()

    assert status == 200


@pytest.mark.parametrize("ending", ["", "/"])
def test_the_base_url_may_end_in_a_slash_or_not(
    ending: str, serve: Serve, connect: Connect
) -> None:
    server = serve(does.json(200, PACKAGE))

    connect(server.url + ending).get_quote(INS)

    assert server.seen[0].target == f"/x/partners/ACME1/quotes/{INS}/"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.xcover.com/x",
        "ftp://api.xcover.com",
        "https://user:pw@api.xcover.com",
        "https://api.xcover.com/x?y=1",
        "https://api.xcover.com:port",
        "https://api.xcover.com/x#y",
        "https://api.xcover.com/ x",
        "https://api.xcover.com\n/x",
        "https://.",
        "http://api.xcover.com/x",
        "http://10.0.0.1",
        "http://localhost.evil.example",
    ],
)
def test_a_base_url_that_is_none_or_would_send_secrets_in_clear_is_refused(
    url: str, connect: Connect
) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        connect(url)


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.9", "http://[::1]:80/x"])
def test_plain_http_to_this_machine_is_allowed(url: str, connect: Connect) -> None:
    assert isinstance(connect(url), XCoverClient)


@pytest.mark.parametrize("options", [{"deadline": 0}, {"max_attempts": 0}, {"partner_code": "a/b"}])
def test_unusable_options_are_refused(options: dict[str, object], connect: Connect) -> None:
    with pytest.raises(ConfigurationError):
        connect("http://localhost", **options)


def test_the_headers_of_the_contract_are_sent(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(201, PACKAGE))

    connect(server).create_quote({})

    headers = server.seen[0].headers
    assert headers["x-api-key"] == API_KEY
    assert headers["content-type"] == "application/json"
    assert headers["date"].endswith(" GMT")
