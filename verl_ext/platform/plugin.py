"""verl's plugin for machines without a GPU. Importing it registers it.

verl 0.9.1 loads the entry points of the group `verl.plugins` and calls nothing, so this is the one
module of the project that acts when imported: in the driver, in every Ray worker and in vLLM's engine
processes, since all of them import verl. It does nothing unless `VERL_PLATFORM=cpu` is set and no
accelerator is there, and stays cheap: patches wait until the module they mend is imported.
"""

import os

from verl_ext.platform.environment import CPU_PLATFORM, PLATFORM_VARIABLE


def register() -> bool:
    """Register the CPU platform and its patches; say whether it was done.

    A wrong version of verl or vLLM is refused by the platform class when verl first asks for it: verl
    swallows whatever a plugin raises while it is loaded.
    """
    if os.environ.get(PLATFORM_VARIABLE, "").strip().lower() != CPU_PLATFORM:
        return False
    from verl_ext.platform.cpu_platform import accelerator_present, register_platform
    from verl_ext.platform.patches import apply_patches

    if accelerator_present():
        return False
    if register_platform():
        apply_patches()
    return True


register()
