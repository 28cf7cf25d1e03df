"""HTTP/1.1 answers as octets: in any pieces, and refused where it is not clear where they end."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.actions.http_message import MAX_BODY, Answer, AnswerReader, MessageError, request

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\nx: b\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nT: x\r\n\r\n"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"


def read(pieces: list[bytes], method: str = "GET") -> AnswerReader:
    reader = AnswerReader(method)
    for piece in pieces:
        reader.feed(piece)
    return reader


@given(st.sampled_from([LENGTH, CHUNKED, CONTINUED, EMPTY]), st.lists(st.integers(0, 120), max_size=6))
def test_the_pieces_do_not_matter(message: bytes, cuts: list[int]) -> None:
    places = sorted({0, *(cut for cut in cuts if cut < len(message)), len(message)})
    reader = read([message[start:end] for start, end in itertools.pairwise(places)])
    assert reader.done
    assert reader.reusable
    assert reader.answer().body == (b"" if message == EMPTY else b"hello")


def test_headers_of_one_name_are_joined() -> None:
    assert read([LENGTH]).answer() == Answer(200, {"content-length": "5", "x": "a, b"}, b"hello")


def test_without_a_length_the_connection_ends_it() -> None:
    reader = read([b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo"])
    assert not reader.done
    reader.close()
    assert (reader.answer().body, reader.reusable) == (b"hello", False)


def test_what_is_too_long_is_cut() -> None:
    reader = read([b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n", b"x" * (MAX_BODY + 1)])
    assert reader.done
    assert (len(reader.answer().body), reader.answer().whole, reader.reusable) == (MAX_BODY, False, False)


@pytest.mark.parametrize(
    "message",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    ],
)
def test_what_is_not_clear_is_refused(message: bytes) -> None:
    with pytest.raises(MessageError):
        read([message])


@given(st.binary(max_size=300))
def test_octets_of_any_kind_end_in_an_answer_or_a_refusal(data: bytes) -> None:
    reader = AnswerReader("GET")
    try:
        reader.feed(data)
        reader.close()
    except MessageError:
        return
    assert reader.done


def test_more_than_was_asked_for_ends_the_connection() -> None:
    assert not read([LENGTH + b"HTTP/1.1 200 OK\r\n"]).reusable


@pytest.mark.parametrize(("target", "value"), [("/a b", "x"), ("/a", "x\r\nEvil: y"), ("/a\n", "x")])
def test_requests_cannot_be_split(target: str, value: str) -> None:
    with pytest.raises(MessageError):
        request("GET", target, [("X", value)], b"")
