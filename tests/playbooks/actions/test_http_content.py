"""Bodies of ``http-api`` in and out, over real HTTP; and where it may go without TLS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.destination import Reach
from playbooks.actions.http_answer import Answer
from playbooks.actions.http_api import HttpApi
from playbooks.actions.http_content import content_of, text_of
from playbooks.extension import Options
from playbooks.model import Command, Party
from playbooks.variables import Value

XML = '<?xml version="1.0" encoding="GBK"?><s:r xmlns:s="urn:x" id="7"><state>已封禁</state><s:ip>a</s:ip><s:ip>b</s:ip><e/></s:r>'


class Echo(ThreadingHTTPServer):
    """Answers what it is told to, and keeps what it gets."""

    daemon_threads = True

    def __init__(self) -> None:
        self.kind, self.body, self.got = "", b"", (b"", "")
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Echo

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_POST(self) -> None:
        self.server.got = self.rfile.read(int(self.headers["Content-Length"])), self.headers["Content-Type"]
        self.send_response(200)
        self.send_header("Content-Type", self.server.kind)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _run(
    echo: Echo, *wanted: str, reach: Reach | None = None, content: str = "", host: str = "127.0.0.1", **outputs: str
) -> dict[str, Value]:
    url = f"http://{host}:{echo.server_address[1]}"
    request = Request(
        key="1.1",
        step_id="action--1",
        command=Command(type="http-api", command="POST / HTTP/1.1", content=content or "x"),
        target=Party(type="http-api", address={"url": [url]}),
        out_args=wanted,
        options=Options(outputs=outputs),
    )
    allowed = reach or Reach(("127.0.0.0/8",), (f"127.0.0.1:{echo.server_address[1]}",))
    return dict(HttpApi(allowed).run(request, Context(time.monotonic() + 10)))


def test_xml_of_a_system_that_sends_gbk(echo: Echo) -> None:
    echo.kind, echo.body = "text/xml", XML.encode("gbk")
    gave = _run(echo, "__state__", "__first__", "__id__", "__http_body__", __first__="/r/ip/1", __id__="/r/@id")
    assert gave == {"__state__": "已封禁", "__first__": "b", "__id__": "7", "__http_body__": XML}


def test_csv(echo: Echo) -> None:
    echo.kind, echo.body = 'text/csv; charset="utf-8"', '\ufeffip,备注\r\n192.0.2.1,"a, ""b"""\r\n\r\n192.0.2.2,\r\n'.encode()
    assert _run(echo, "__a__", "__b__", __a__="/1/ip", __b__="/0/备注") == {"__a__": "192.0.2.2", "__b__": 'a, "b"'}


def test_text(echo: Echo) -> None:
    echo.kind, echo.body = "text/plain; charset=GB2312", "封禁成功".encode("gbk")
    assert _run(echo, "__any__") == {"__any__": "封禁成功"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
        ("application/xml", b"<a>"),
        ("application/xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16-le")),
        ("application/xml;charset=utf-16", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16")),
        ("application/xml", b"<a>" * 5_000 + b"</a>" * 5_000),
        ("text/csv", b'a,b\n"1,2'),
        ("application/json", b"{"),
        ("application/json", b"[" * 100_000),
    ],
)
def test_what_is_none_of_what_it_says_has_no_value(echo: Echo, kind: str, body: bytes) -> None:
    echo.kind, echo.body = kind, body
    with pytest.raises(ActionError) as caught:
        _run(echo, "__x__", "__y__", __x__="/a")
    assert caught.value.code == "OUTPUT_MISSING"


def test_what_was_cut_off_is_not_taken_half() -> None:
    answer = Answer(200, {"content-type": "text/csv"}, b"a\n1\n2", whole=False)
    assert content_of(answer) is None
    assert text_of(Answer(200, {"content-type": "text/plain; charset=no-such"}, "ü".encode())) == "ü"


@pytest.mark.parametrize(
    ("content", "kind"),
    [('<?xml version="1.0"?><a/>', "application/xml"), ("{}", "application/json"), ("a", "text/plain; charset=utf-8")],
)
def test_a_body_that_says_nothing_of_itself(echo: Echo, content: str, kind: str) -> None:
    _run(echo, content=content)
    assert echo.got == (content.encode(), kind)


# -- without TLS ------------------------------------------------------------------------------------------------------------------


def _refused(echo: Echo, reach: Reach, **more: Any) -> ActionError:
    with pytest.raises(ActionError) as caught:
        _run(echo, reach=reach, **more)
    assert echo.got == (b"", "")
    return caught.value


def test_without_tls_only_to_hosts_that_are_listed(echo: Echo) -> None:
    network, port = ("127.0.0.0/8",), echo.server_address[1]
    for plain in ((), ("127.0.0.2",), (f"127.0.0.1:{port + 1}",), ("localhost",)):
        error = _refused(echo, Reach(network, plain))
        assert (error.code, "plain_hosts" in str(error)) == ("NOT_ALLOWED", True)
    _run(echo, reach=Reach(network, (f"127.0.0.1:{port}",)))
    echo.got = b"", ""
    _run(echo, reach=Reach(network, ("LOCALHOST",)), host="localhost")
    echo.got = b"", ""
    _run(echo, reach=Reach.anywhere())


def test_a_listed_host_has_to_lie_in_an_allowed_network(echo: Echo) -> None:
    for network in ((), ("10.0.0.0/8",)):
        assert "allow its network" in str(_refused(echo, Reach(network, ("127.0.0.1", "localhost"))))


def test_hosts_that_are_none() -> None:
    with pytest.raises(ValueError, match="no host"):
        Reach((), ("http://x",))
