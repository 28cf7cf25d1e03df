"""What the parameters of all our commands have in common."""

from __future__ import annotations

from typing import Annotated

import msgspec

AbsolutePath = Annotated[str, msgspec.Meta(max_length=1024, pattern=r"^(?:/.*)?$")]
"""A path from the root on; "" = none, as a variable without a value says it."""
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing but that other names are refused."""
