"""What the sealed secrets of ``[store.elasticsearch]`` are bound to (crypto.secret)."""

from __future__ import annotations

SECRET_CONTEXT = "store.elasticsearch"  # noqa: S105
