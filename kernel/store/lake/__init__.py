"""The embedded event store: a lake of Parquet segments (see :mod:`.lake`)."""

from __future__ import annotations

from kernel.store.lake.lake import Lake

__all__ = ["Lake"]
