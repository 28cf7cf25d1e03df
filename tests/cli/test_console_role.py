"""The console role: what its worker is made of is out of the way of the collector of garbage."""

from __future__ import annotations

import gc

from cli.roles import console


def test_what_the_application_is_made_of_is_not_looked_at_again() -> None:
    made = [[] for _ in range(3)]
    before = gc.get_freeze_count()
    try:
        assert console._Server({}, lambda: made).load() is made
        assert gc.get_freeze_count() > before + len(made)
    finally:
        gc.unfreeze()
