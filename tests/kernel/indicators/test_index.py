"""The published index: exact values, names below a name, the narrowest network; replaced while it is read."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.indicators.index import ADDRESS, HASH, URL, Index, IndexSource, Indicator, write_index


def _one(number: int, kind: str, value: str, confidence: int = 80) -> Indicator:
    return Indicator(
        number, kind, value, confidence, "test", "amber", "why", "https://reference.example", "2030-01-01T00:00:00.000000Z"
    )


def _index(tmp_path: Path, *indicators: Indicator) -> Index:
    write_index(tmp_path / "index", "r1", indicators)
    return Index(tmp_path / "index")


def test_exact_values(tmp_path: Path) -> None:
    index = _index(
        tmp_path,
        _one(1, "address", "203.0.113.9"),
        _one(2, "hash", "ab" * 16),
        _one(3, "url", "http://evil.example/x"),
        _one(4, "address", "2001:db8::9"),
    )
    assert index.find_address("203.0.113.9") == _one(1, "address", "203.0.113.9")
    assert index.find_address("2001:db8::9") == _one(4, "address", "2001:db8::9")
    assert index.find_address("203.0.113.8") is None
    assert index.find(HASH, "ab" * 16) == _one(2, "hash", "ab" * 16)
    assert index.find(URL, "http://evil.example/x") is not None
    assert index.find(ADDRESS, "ab" * 16) is None  # the families do not mix
    assert index.find(ADDRESS, "\ud800") is None
    assert index.revision == "r1"


def test_names_below_a_name(tmp_path: Path) -> None:
    index = _index(
        tmp_path,
        _one(1, "domain", "*.evil.example"),
        _one(2, "domain", "one.good.example"),
        _one(3, "domain", "*.deep.evil.example"),
    )
    found = {name: (hit.id if (hit := index.find_domain(name)) else 0) for name in (
        "evil.example", "a.evil.example", "a.b.evil.example", "x.deep.evil.example", "notevil.example", "one.good.example",
        "a.one.good.example", "good.example", "", ".", "example", "." * 400,
    )}  # fmt: skip
    assert list(found.values()) == [1, 1, 1, 3, 0, 2, 0, 0, 0, 0, 0, 0]


def test_of_one_value_the_last_counts(tmp_path: Path) -> None:
    index = _index(tmp_path, _one(1, "address", "203.0.113.9", 20), _one(2, "address", "203.0.113.9", 90))
    assert index.find_address("203.0.113.9") == _one(2, "address", "203.0.113.9", 90)


_NETWORKS = st.one_of(
    st.builds(
        lambda number, bits: ipaddress.ip_network((number, bits), strict=False),
        st.integers(0xCB007000, 0xCB0071FF),
        st.integers(20, 31),
    ),
    st.builds(
        lambda number, bits: ipaddress.ip_network((number, bits), strict=False),
        st.integers(0x2001_0DB8 << 96, (0x2001_0DB8 << 96) + 4095),
        st.integers(116, 127),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_NETWORKS, min_size=1, max_size=12, unique=True), st.lists(st.integers(0, 4095), max_size=20))
def test_the_narrowest_network_is_found(networks: list[ipaddress.IPv4Network], places: list[int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        index = _index(Path(folder), *(_one(number, "network", str(network)) for number, network in enumerate(networks, start=1)))
        ends = [address for network in networks for address in (network[0], network[-1])]
        for address in (
            *ends,
            *(ipaddress.ip_address(0xCB007000 + place % 1024) for place in places),
            *(ipaddress.ip_address((0x2001_0DB8 << 96) + place) for place in places),
        ):
            holding = [network for network in networks if address.version == network.version and address in network]
            expected = max(holding, key=lambda network: network.prefixlen, default=None)
            found = index.find_address(str(address))
            assert (found.value if found else None) == (str(expected) if expected else None)


def test_a_source_takes_what_replaced_the_file_and_outlives_a_broken_one(tmp_path: Path) -> None:
    path = tmp_path / "index"
    source = IndexSource(path)
    assert not source()
    write_index(path, "r1", [_one(1, "address", "203.0.113.9")])
    assert source().find_address("203.0.113.9") is not None
    held = source()
    write_index(path, "r2", [_one(2, "address", "203.0.113.10")])
    assert source().find_address("203.0.113.9") is None
    assert source.revision == "r2"
    assert held.find_address("203.0.113.9") is not None  # a batch in work keeps what it began with
    path.with_suffix(".new").write_bytes(b"no database at all" * 100)
    path.with_suffix(".new").replace(path)
    assert source().find_address("203.0.113.10") is not None
    path.unlink()
    assert source().find_address("203.0.113.10") is not None


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "index"
    write_index(path, "r1", [_one(1, "address", "203.0.113.9")])

    def broken():  # type: ignore[no-untyped-def]
        yield _one(2, "address", "203.0.113.10")
        raise OSError("the database went away")

    with pytest.raises(OSError, match="went away"):
        write_index(path, "r2", broken())
    assert Index(path).revision == "r1"
    assert [one.name for one in tmp_path.iterdir()] == ["index"]
