"""Patches wait for their module, and cost nothing until then."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from verl_ext.platform.after_import import PatchingFinder, PatchingLoader, patch_after_import

NAME = "patched_module_of_this_test"


@pytest.fixture
def module_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module that can be imported once per test."""
    (tmp_path / f"{NAME}.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield NAME
    sys.modules.pop(NAME, None)


def add_one(module: ModuleType) -> None:
    module.value += 1


def test_a_module_is_patched_when_it_is_imported(module_on_path: str) -> None:
    patch_after_import(module_on_path, add_one)

    assert module_on_path not in sys.modules
    assert importlib.import_module(module_on_path).value == 2


def test_a_module_that_is_imported_already_is_patched_now(module_on_path: str) -> None:
    module = importlib.import_module(module_on_path)

    patch_after_import(module_on_path, add_one)

    assert module.value == 2


def test_two_patches_of_one_module_both_act_once(module_on_path: str) -> None:
    patch_after_import(module_on_path, add_one)
    patch_after_import(module_on_path, add_one)

    assert importlib.import_module(module_on_path).value == 3
    assert len([finder for finder in sys.meta_path if isinstance(finder, PatchingFinder)]) == 1


def test_a_patched_module_keeps_its_own_loader(module_on_path: str) -> None:
    patch_after_import(module_on_path, add_one)

    module = importlib.import_module(module_on_path)

    assert not isinstance(module.__loader__, PatchingLoader)
    assert importlib.reload(module).value == 1


def test_a_module_that_does_not_exist_still_fails_to_import(module_on_path: str) -> None:
    patch_after_import("no_such_module_of_this_test", add_one)

    with pytest.raises(ModuleNotFoundError, match="no_such_module_of_this_test"):
        importlib.import_module("no_such_module_of_this_test")
