"""The head file as a file: what stands in its place is not followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations.audit.head_file import HeadFile


def test_a_link_in_place_of_lock_or_heads_is_not_followed(tmp_path: Path) -> None:
    """Root may run a command in the folder of the platform's account: nothing of his is emptied or written to."""
    other = tmp_path / "other"
    other.write_text("of somebody else")
    file = HeadFile(tmp_path / "heads.jsonl")
    file.path.symlink_to(other)
    with file.locked(), pytest.raises(OSError):
        file.append([])
    file.path.with_suffix(".lock").unlink()
    file.path.with_suffix(".lock").symlink_to(other)
    with pytest.raises(OSError), file.locked():
        pass
    assert other.read_text() == "of somebody else"
