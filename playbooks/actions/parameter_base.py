"""What the parameters of all our commands have in common."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

AbsolutePath = Annotated[str, msgspec.Meta(max_length=1024, pattern=r"^(?:/.*)?$")]
"""A path from the root on; "" = none, as a variable without a value says it."""
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other names than those of the fields are refused.

    words  the fields that only people read: what is not known may stay so there (playbooks.variables.in_words)
    """

    words: ClassVar[frozenset[str]] = frozenset()
