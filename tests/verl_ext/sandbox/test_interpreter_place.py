"""The sandbox works wherever its interpreter lives, also below the folder that each run gets fresh."""

from __future__ import annotations

import os
import sys
import venv
from pathlib import Path

import pytest

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import serve
from verl_ext.sandbox.protocol import RunRequest


@pytest.mark.skipif(os.geteuid() != 0, reason="tier A as root")
async def test_an_environment_below_tmp_runs_programs_and_their_own_interpreter(tmp_path: Path):
    place = tmp_path / "venv"
    if not place.is_relative_to("/tmp"):
        pytest.skip("pytest's folders are not below /tmp")
    venv.create(place, with_pip=False, symlinks=True)
    inner = "[sys.executable, '-c', 'import decimal; print(7)']"
    code = f"import subprocess, sys\nsubprocess.run({inner}, check=True)"
    with serve(("--python", str(place / "bin" / Path(sys.executable).name))) as server:
        async with HttpSandbox(server.endpoint) as sandbox:
            result = await sandbox.run(RunRequest(code=code))
    assert result.run is not None and result.run.stdout == "7\n", result.run
