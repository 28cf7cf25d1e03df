"""collectors/framing.py against RFC 6587 and against itself under any chunking."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.framing import SyslogFramer

_EXAMPLE = b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed"  # RFC 5424 §6.5


def test_octet_counted_lines_and_both_mixed() -> None:
    stream = b"%d %s<13>one\n<14>two\r\n%d %s<15>three\0" % (len(_EXAMPLE), _EXAMPLE, len(_EXAMPLE), _EXAMPLE)
    framer = SyslogFramer()
    messages = framer.feed(stream)
    assert [m for _, m in messages] == [_EXAMPLE, b"<13>one", b"<14>two", _EXAMPLE, b"<15>three"]
    assert [end for end, _ in messages][-1] == framer.consumed == len(stream)
    assert framer.pending == 0


def test_counted_message_may_hold_line_feeds() -> None:
    assert SyslogFramer().feed(b"12 <1>two\nlines<2>next\n") == [(15, b"<1>two\nlines"), (23, b"<2>next")]


def test_a_line_that_starts_with_digits_is_not_a_count() -> None:
    lines = b"2026-11-22 08:00:00 fw1 deny\n15 apples\n12345678901 <1>x\n"
    assert [m for _, m in SyslogFramer().feed(lines)] == lines.split(b"\n")[:-1]


def test_wanted_tells_what_is_missing() -> None:
    framer = SyslogFramer()
    assert framer.feed(b"10 <1>ab") == []
    assert framer.wanted == 5
    assert framer.feed(b"cdef!") == [(13, b"<1>abcdef!")]


def test_too_long_messages_are_cut_counted_and_skipped() -> None:
    framer = SyslogFramer(max_message=8)
    stream = b"<1>" + b"x" * 100 + b"\n<2>ok\n20 <3>" + b"y" * 17 + b"<4>ok\n"
    assert [m for _, m in framer.feed(stream)] == [b"<1>xxxxx", b"<2>ok", b"<3>yyyyy", b"<4>ok"]
    assert framer.truncated == 2
    assert framer.consumed == len(stream)


def test_the_end_of_the_stream_gives_out_an_unfinished_message() -> None:
    framer = SyslogFramer()
    assert framer.feed(b"<1>a\n<2>b") == [(5, b"<1>a")]
    assert framer.finish() == [(9, b"<2>b")]
    assert framer.finish() == []
    assert framer.pending == 0


_piece = st.one_of(
    st.binary(max_size=40),
    st.binary(max_size=30).map(lambda body: b"%d <%s" % (len(body) + 1, body)),
    st.binary(max_size=30).map(lambda body: b"<%s\n" % body.replace(b"\n", b"")),
    st.sampled_from([b"\n", b"\0", b"\r\n", b"7", b"12 ", b"999999999 <", b"3 <1>"]),
)


@given(st.lists(_piece, max_size=12).map(b"".join), st.data())
def test_any_chunking_gives_the_same_messages(stream: bytes, data: st.DataObject) -> None:
    whole = SyslogFramer(max_message=16)
    expected = [*whole.feed(stream), *whole.finish()]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    framer = SyslogFramer(max_message=16)
    got = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += framer.feed(stream[start:end])
        assert framer.consumed + framer.pending == end
    got += framer.finish()
    assert got == expected
    assert framer.truncated == whole.truncated
    ends = [end for end, _ in got]
    assert ends == sorted(set(ends)), "offsets grow strictly"


@given(
    st.lists(st.binary(min_size=1, max_size=50).map(lambda b: b"<1>" + b.replace(b"\n", b"").replace(b"\0", b"")), max_size=20),
    st.randoms(),
)
def test_what_was_framed_comes_out(messages: list[bytes], random) -> None:  # type: ignore[no-untyped-def]
    messages = [m.rstrip(b"\r") for m in messages]
    stream = b"".join(b"%d %s" % (len(m), m) if random.random() < 0.5 else m + b"\n" for m in messages)
    assert [m for _, m in SyslogFramer().feed(stream)] == messages
