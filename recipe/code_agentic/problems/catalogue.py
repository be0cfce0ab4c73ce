"""All authored templates, collected from the ``stdin_*`` and ``call_*`` modules of this package.

Owns which modules count as a part of the problem set and that names are unique. Every such module exposes
``TEMPLATES``, a tuple of ``ProblemTemplate``.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from pathlib import Path

from recipe.code_agentic.problems.template import ProblemTemplate

_PREFIXES = ("stdin_", "call_")


@functools.cache
def all_templates() -> tuple[ProblemTemplate, ...]:
    """Every authored template, ordered by module name, then as written.

    Raises:
        ValueError: When two templates have the same name.
    """
    package = __name__.rpartition(".")[0]
    modules = sorted(
        module.name
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
        if module.name.startswith(_PREFIXES)
    )
    templates: dict[str, ProblemTemplate] = {}
    for module in modules:
        for template in importlib.import_module(f"{package}.{module}").TEMPLATES:
            if template.name in templates:
                raise ValueError(f"two templates are named {template.name!r} (one of them in {module}.py)")
            templates[template.name] = template
    return tuple(templates.values())
