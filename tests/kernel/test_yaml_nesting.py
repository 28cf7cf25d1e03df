"""Deep YAML is refused before libyaml falls over it. What falls over would end this process: the texts must stay refused."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kernel.yaml_nesting import DEEPEST, refuse_deep

LOADERS = [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "-\t- "])
def test_deep_texts_are_refused(opening: str, loader: type) -> None:
    with pytest.raises(yaml.YAMLError):
        refuse_deep(opening * 100_000, loader)


@pytest.mark.parametrize("loader", LOADERS)
def test_long_and_flat_texts_are_not(loader: type) -> None:
    refuse_deep("- a-b\n" * 5_000, loader)
    refuse_deep("[" * DEEPEST + "]" * DEEPEST + "\n" + "#-" * 2_000, loader)


@given(st.recursive(st.text("ab-[?") | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner)))
def test_what_people_write_passes(value: object) -> None:
    refuse_deep(yaml.safe_dump(value) + "# " + "-" * 2_000, yaml.SafeLoader)
