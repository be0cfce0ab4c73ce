"""Records of any known format, or the project's own problems -> problems -> RL and SFT parquet files.

``python data_preprocess/preprocess.py [data=NAME] [key=value ...]``, where NAME is one of own, quickstart,
leetcode_debugbench, user, deepcoder, deepcoder_tiny;
``python data_preprocess/preprocess.py inspect FILE ... [format=NAME]`` says what a file is, writing nothing.
``configs/preprocess.yaml`` explains every key. The run itself is in ``pipeline``.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

# Run as a file: Python then looks beside it, not in the checkout.
if __package__ in (None, "") and __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    sys.path.remove(str(Path(__file__).resolve().parent))


def main() -> None:
    """Composes the config and runs; ``inspect`` only looks."""
    # What is imported and composed lives as long as the process. Until then nothing is collected, and later
    # collections, those of forked processes too, pass it over: up to a tenth of the time.
    gc.disable()
    from verl_ext.cli import compose, exit_without

    for package in ("pyarrow", "libcst", "cosmic_ray"):
        exit_without(package, "data")
    if sys.argv[1:2] == ["inspect"]:
        from data_preprocess.inspection import inspect_files

        _freeze()
        inspect_files(sys.argv[2:])
        return
    config = compose("preprocess", sys.argv[1:])

    from data_preprocess.pipeline import run

    _freeze()
    run(config)


def _freeze() -> None:
    gc.freeze()
    gc.enable()


if __name__ == "__main__":
    from verl_ext.cli import run_main

    run_main(main, __doc__)
