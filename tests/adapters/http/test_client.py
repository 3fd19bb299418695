"""The client takes nothing from the environment but proxies, goes where it is told alone, and tells no secret."""

import socket
import threading

import pytest
from private_https import private_https
from sockets import answering
from werkzeug import Response

from orchestrator.adapters.http.client import Client
from orchestrator.errors import DeliveryError, MetricError

SECRET = {"credentials": {"Authorization": "Bearer hunter2"}, "basic": ("me", "opensesame")}


@pytest.fixture
def client(httpserver):
    """`client(path)`: for the server of this test."""
    return lambda path="/", **given: Client(httpserver.url_for(path), MetricError, **given)


def test_credentials_are_sent_and_never_shown(httpserver, client):
    httpserver.expect_request("/x").respond_with_json({})
    sender = client(credentials={"Authorization": "Bearer hunter2", "X-Scope-OrgID": "shop"})
    assert sender.json(sender.ask("GET", "x")) == {}
    sent = httpserver.log[0][0].headers
    assert sent["Authorization"] == "Bearer hunter2" and sent["X-Scope-OrgID"] == "shop"
    assert sent["User-Agent"] == "netpol-canary" and sent["Accept-Encoding"] == "identity"
    assert "hunter2" not in repr(sender)


@pytest.mark.parametrize("given", [{"credentials": {"Authorization": "Bearer mine"}}, {}])
def test_a_netrc_file_adds_and_replaces_nothing(httpserver, client, tmp_path, monkeypatch, given):
    (tmp_path / "netrc").write_text(f"machine {httpserver.host} login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    httpserver.expect_request("/x").respond_with_json({})
    client(**given).ask("GET", "x")
    assert httpserver.log[0][0].headers.get("Authorization") == given.get("credentials", {}).get(
        "Authorization"
    )


def test_cookies_are_not_kept(httpserver, client):
    httpserver.expect_request("/x").respond_with_json({}, headers={"Set-Cookie": "a=b"})
    for _ in range(2):
        client().ask("GET", "x")
    assert "Cookie" not in httpserver.log[1][0].headers


def test_proxies_of_the_environment_are_for_those_who_want_them(httpserver, client, monkeypatch):
    monkeypatch.setenv("http_proxy", httpserver.url_for(""))
    monkeypatch.delenv("no_proxy", raising=False)
    httpserver.expect_request("/x").respond_with_json({})
    away = Client("http://nowhere.invalid", MetricError, plain=True)
    assert away.ask("GET", "x").status == 200
    with pytest.raises(MetricError, match="gave no usable answer"):
        Client("http://nowhere.invalid", MetricError, plain=True, proxies=False).ask("GET", "x")
    monkeypatch.setenv("http_proxy", "socks5h://me:hunter2@127.0.0.1:1")
    with pytest.raises(MetricError, match="SOCKS proxy cannot be used") as error:
        away.ask("GET", "x")
    assert "hunter2" not in str(error.value)


def test_a_proxy_that_says_what_it_was_sent_is_told_of_without_it(monkeypatch):
    def echo(connection):
        given = connection.recv(65536).split(b"Basic ")[1].split()[0]
        connection.sendall(b"HTTP/1.1 407 no hunter2 for " + given + b"\r\nContent-Length: 0\r\n\r\n")
        connection.close()

    with answering(echo) as port:
        monkeypatch.setenv("https_proxy", f"http://me:hunter2@127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(MetricError, match=r"407 no \*\*\* for \*\*\*$"):
            Client("https://nowhere.invalid", MetricError).ask("GET", "x")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("you sent Bearer hunter2\nand opensesame", "you sent *** and ***"),
        ("bWU6b3BlbnNlc2FtZQ==", "***"),
        ("Basic bWU6b3BlbnNlc2FtZQ== hunter2hunter2", "Basic *** ******"),
    ],
)
def test_what_a_server_echoes_of_the_credentials_is_blotted_out(client, said, shown):
    assert client(**SECRET).clean(said) == shown


@pytest.mark.parametrize(
    "said", ["a+b/c=&d é", "a%2Bb%2Fc%3D%26d%20%C3%A9", "a%2Bb%2Fc%3D%26d+%C3%A9", r"a+b/c=&d \u00e9"]
)
def test_a_secret_is_known_however_it_is_written(client, said):
    assert client(secrets=("a+b/c=&d é",)).clean(f"it was {said}!") == "it was ***!"


def test_too_much_is_refused_whether_it_says_so_or_not(httpserver, client):
    httpserver.expect_request("/told").respond_with_data("x" * 200)
    httpserver.expect_request("/untold").respond_with_response(Response((b"x" * 50 for _ in range(4)), 200))
    for path in ("told", "untold"):
        with pytest.raises(MetricError, match="is larger than"):
            client(most_bytes=100).ask("GET", path)


def test_nobody_there_and_a_missing_authority_file_are_one_line_without_the_query():
    with pytest.raises(MetricError, match=r"^http://127.0.0.1:1 gave no usable answer: .*refused") as error:
        Client("http://127.0.0.1:1", MetricError).ask("GET", "x?key=hunter2")
    assert "hunter2" not in str(error.value)
    with pytest.raises(MetricError, match=r"/nowhere\.pem"):
        Client("https://127.0.0.1:1", MetricError, verify="/nowhere.pem").ask("GET", "x")


@pytest.mark.parametrize(
    "path",
    [
        "../admin",
        "a/../../admin",
        "a#b",
        "%2e%2e/admin",
        "a/%2E%2e/%2e./admin",
        "..\\admin",
        "a%5c..%5c..",
        "a%2f..%2f..",
    ],
)
def test_a_path_that_leads_out_of_the_address_is_refused(httpserver, client, path):
    with pytest.raises(MetricError, match="is no path below"):
        client("/api").ask("GET", path)
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://x", "no http"),
        ("http://[x", "no http"),
        ("https://x:99999", "no http"),
        ("https://ann:hunter2@x", "holds credentials"),
        ("https://@x", "holds credentials"),
        ("https://x?token=hunter2", "holds a query"),
        ("https://x#hunter2", "holds a query or a fragment"),
        ("http://x", "is no https address"),
        ("http://127.0.0.1.example.com", "is no https address"),
        ("https://169.254.169.254", "the machine's own metadata"),
        ("https://2852039166", "the machine's own metadata"),
        ("https://0xa9.0xfe.0xa9.0xfe", "the machine's own metadata"),
        ("https://[::ffff:169.254.169.254]", "the machine's own metadata"),
        ("https://[64:ff9b::a9fe:a9fe]", "the machine's own metadata"),
        ("https://[fe80::1]", "the machine's own metadata"),
        ("https://[fd00:ec2::254]", "the machine's own metadata"),
        ("https://100.100.100.200", "the machine's own metadata"),
    ],
)
def test_some_addresses_are_not_asked_whoever_gave_them(url, said):
    with pytest.raises(MetricError, match=said) as error:
        Client(url, MetricError).ask("GET")
    assert "hunter2" not in str(error.value)


def resolved(monkeypatch, *addresses):
    """Every name has these addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a, port in addresses]

    def look_up(host, port, *given, flags=0, **more):
        if flags == socket.AI_NUMERICHOST:
            raise socket.gaierror("a name")
        return found

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_a_name_that_leads_to_metadata_is_not_connected_to(monkeypatch):
    resolved(monkeypatch, ("169.254.169.254", 80))
    with pytest.raises(MetricError, match=r"169\.254\.169\.254 is the machine's own metadata"):
        Client("http://innocent.example.com", MetricError, plain=True).ask("GET", "x")


def test_the_next_address_is_tried_within_the_same_time(httpserver, monkeypatch):
    httpserver.expect_request("/x").respond_with_json({})
    resolved(monkeypatch, ("127.0.0.1", 1), ("127.0.0.1", httpserver.port))
    assert Client("http://some.example.com", MetricError, plain=True).ask("GET", "x").status == 200


def test_a_renamed_resource_is_followed_on_its_host_alone(httpserver):
    httpserver.expect_request("/old").respond_with_data("", 301, {"Location": httpserver.url_for("/new")})
    httpserver.expect_request("/new").respond_with_json({})
    httpserver.expect_request("/round").respond_with_data("", 302, {"Location": "/round"})
    client = Client(httpserver.url_for(""), DeliveryError, redirects=3)
    assert client.ask("GET", "old").status == 200
    with pytest.raises(DeliveryError, match="redirects without end"):
        client.ask("GET", "round")


@pytest.mark.parametrize(
    "away",
    [
        "http://localhost:1/x",
        "//localhost:1/x",
        "http://{host}.localhost:1/",
        "http://ann@{host}/",
        "https://{host}/",
        "\\\\localhost:1\\x",
        "http://{host}\\@localhost:1/",
        "file:///etc/passwd",
        "http://[",
    ],
)
def test_a_redirect_to_anywhere_else_is_not_followed(away):
    asked = []

    def redirect(connection):
        asked.append(connection.recv(65536))
        place = away.format(host=asked[0].split(b"Host: ")[1].split()[0].decode())
        connection.sendall(f"HTTP/1.1 307 Away\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode())

    with (
        answering(redirect) as port,
        pytest.raises(DeliveryError, match=r"which is not followed|to no address|without end"),
    ):
        Client(f"http://127.0.0.1:{port}", DeliveryError, redirects=3).ask("POST", "x", body={})
    assert all(b"Host: 127.0.0.1:%d\r\n" % port in a for a in asked)


@pytest.fixture
def https(tmp_path):
    """Its address, and the file of the authority that vouches for it."""
    with private_https(tmp_path, tmp_path / "chain.pem") as (url, authority):
        (tmp_path / "authority.pem").write_bytes(authority)
        yield url, str(tmp_path / "authority.pem")


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_whom_to_trust_is_not_the_environments_to_say(https, monkeypatch, name):
    url, authority = https
    monkeypatch.setenv(name, authority)
    with pytest.raises(MetricError, match="certificate verify failed"):
        Client(url, MetricError).ask("GET", "x")
    monkeypatch.setenv(name, "/nowhere.pem")
    assert Client(url, MetricError, verify=authority).ask("GET", "x").status == 404
    assert Client(url, MetricError, verify=False).ask("GET", "x").status == 404


@pytest.mark.parametrize("part", [b"", b"\x16\x03\x03\x40\x00" + b"\x02"])
def test_a_handshake_that_never_ends_is_left_in_time(part):
    over = threading.Event()

    def drip(connection):
        connection.sendall(part)
        while not over.wait(0.05):
            connection.sendall(b"\0" if part else b"")

    with answering(drip) as port:
        with pytest.raises(MetricError, match=r"no whole answer within 0\.4 s"):
            Client(f"https://127.0.0.1:{port}", MetricError, 0.4).ask("GET", "x")
        over.set()


def test_a_server_that_takes_nothing_is_left_in_time():
    with answering(lambda connection: None) as port, pytest.raises(MetricError, match=r"within 0\.4 s"):
        Client(f"http://127.0.0.1:{port}", MetricError, 0.4).ask("POST", "x", body={"x": "y" * 30_000_000})
