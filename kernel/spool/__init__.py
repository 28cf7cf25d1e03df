"""The spool: records that are safe on disk and wait for detection (segment log, see segment_log.py)."""

from kernel.spool.reader import ReadBatch, SpoolReader
from kernel.spool.writer import SpoolClosedError, SpoolWriter

__all__ = ["ReadBatch", "SpoolClosedError", "SpoolReader", "SpoolWriter"]
