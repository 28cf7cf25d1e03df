"""The state machine of tickets, by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operations.tickets.models import KINDS, STATES
from operations.tickets.rules import ACTS, HANDLER, ISSUER, allowed, step

SIDES = st.frozensets(st.sampled_from((HANDLER, ISSUER)))


@given(st.sampled_from(KINDS), st.lists(st.tuples(st.sampled_from(ACTS), SIDES), max_size=20))
def test_whatever_is_done_in_whatever_order_a_ticket_stands_in_a_known_state_with_a_known_turn(
    kind: str, acts: list[tuple[str, frozenset[str]]]
) -> None:
    state, turn = "to_read", HANDLER
    for act, sides in acts:
        found = step(act, kind, state, turn, sides)
        assert (found is not None) == (act in allowed(kind, state, turn, sides))
        if found is not None and found.to:
            state, turn = found.to, found.waiting_for
        assert state in STATES
        assert (turn == "") == (state == "done")


@given(st.sampled_from(KINDS), st.sampled_from(STATES), st.sampled_from((HANDLER, ISSUER, "")))
def test_who_stands_on_no_side_does_nothing(kind: str, state: str, turn: str) -> None:
    assert allowed(kind, state, turn, frozenset()) == []


def test_a_notification_is_done_with_its_receipt() -> None:
    found = step("receipt", "notification", "to_read", HANDLER, frozenset({HANDLER}))
    assert found is not None
    assert (found.to, found.waiting_for) == ("done", "")
    assert step("take", "notification", "to_read", HANDLER, frozenset({HANDLER})) is None
