"""Run a function on a module as soon as the module has been imported.

Owns one finder on `sys.meta_path`, so that a patch costs nothing in a process that never imports what
it mends. It knows nothing of the patches.
"""

import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.util import find_spec
from types import ModuleType

ModulePatch = Callable[[ModuleType], None]


class PatchingLoader(Loader):
    """Executes a module with its own loader, then patches it."""

    def __init__(self, loader: Loader, patches: Sequence[ModulePatch]) -> None:
        self._loader = loader
        self._patches = patches

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """As the module's own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, then every patch."""
        # Others (inspect, importlib.resources) look at the loader of an imported module.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        for patch in self._patches:
            patch(module)


class PatchingFinder(MetaPathFinder):
    """Finds the modules for which a patch waits; all others are left to the finders behind it."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[ModulePatch]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's real spec, with a loader that patches it afterwards."""
        # Taken out first: the search below asks this finder again.
        patches = self.waiting.pop(fullname, None)
        if patches is None:
            return None
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = PatchingLoader(spec.loader, patches)
        return spec


def patch_after_import(name: str, patch: ModulePatch) -> None:
    """Call `patch(module)` once module `name` is imported; now, if it is already.

    Args:
        name: dotted name of the module.
        patch: gets the module.
    """
    module = sys.modules.get(name)
    if module is not None:
        patch(module)
        return
    finder = next((found for found in sys.meta_path if isinstance(found, PatchingFinder)), None)
    if finder is None:
        finder = PatchingFinder()
        sys.meta_path.insert(0, finder)
    finder.waiting.setdefault(name, []).append(patch)
