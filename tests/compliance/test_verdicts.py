from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.verdicts import Verdict, read_verdict, together

MET, PARTLY, NOT_MET, NONE = Verdict.MET, Verdict.PARTLY, Verdict.NOT_MET, Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], None),
        ([NONE, NONE], NONE),
        ([MET, NONE, MET], MET),
        ([NOT_MET, NOT_MET, NONE], NOT_MET),
        ([MET, NOT_MET], PARTLY),
        ([PARTLY], PARTLY),
        ([MET, PARTLY, NONE], PARTLY),
    ],
)
def test_what_several_come_to(verdicts: list[Verdict], expected: Verdict | None) -> None:
    """GB/T 28449-2018, 8.2: all met is met, all not met is not met, all not applicable is that, else partly."""
    assert together(verdicts) is expected


@given(st.lists(st.sampled_from(Verdict), min_size=1), st.randoms())
def test_the_order_does_not_matter(verdicts: list[Verdict], chance) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(verdicts)
    chance.shuffle(shuffled)
    assert together(shuffled) is together(verdicts)


@pytest.mark.parametrize(
    ("text", "expected"), [("符合", MET), ("部分符合", PARTLY), ("not met", NOT_MET), ("Not-Applicable", NONE), (" 不适用 ", NONE)]
)
def test_words_in_both_languages(text: str, expected: Verdict) -> None:
    assert read_verdict(text) is expected


def test_another_word_is_refused() -> None:
    with pytest.raises(ValueError, match="no verdict"):
        read_verdict("perhaps")
