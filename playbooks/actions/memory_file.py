"""A secret for another program, as a file that is on no disk (kernel.programs.memory_file)."""

from __future__ import annotations

from kernel.programs.memory_file import memory_file

__all__ = ["memory_file"]
