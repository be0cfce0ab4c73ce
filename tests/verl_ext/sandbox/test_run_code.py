"""What a run answers, through the client and a live server."""

from __future__ import annotations

import asyncio
import shutil
import sys
from dataclasses import replace

import pytest

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.protocol import RunRequest, StageResult, StageStatus

needs_gxx = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node")


async def run(sandbox: HttpSandbox, code: str, **fields: object) -> StageResult:
    result = await sandbox.run(RunRequest(code=code, **fields))  # type: ignore[arg-type]
    assert result.run is not None
    return result.run


@pytest.mark.parametrize(
    ("language", "code", "stdin", "return_code", "stdout"),
    [
        ("python", "print(input())", "hello\n", 0, "hello\n"),
        ("python", "import sys; print(repr(sys.stdin.read()))", None, 0, "''\n"),
        ("python", "import sys; sys.exit(7)", None, 7, ""),
        ("python", "exit(0)", None, 0, ""),
        ("python", "import os; os._exit(3)", None, 3, ""),
        ("python", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)", None, -15, ""),
        ("python", "import os; os.abort()", None, -6, ""),
        ("python", "import ctypes; ctypes.string_at(0)", None, -11, ""),
        ("bash", "read x; echo $x; exit 3", "hi\n", 3, "hi\n"),
        ("bash", "kill -9 $$", None, -9, ""),
        ("bash", "no_such_command_anywhere", None, 127, ""),
        pytest.param("nodejs", "console.log(6 * 7)", None, 0, "42\n", marks=needs_node),
        pytest.param("nodejs", "process.exit(5)", None, 5, "", marks=needs_node),
    ],
)
async def test_a_finished_program_answers_with_its_own_output_and_return_code(
    sandbox: HttpSandbox, language: str, code: str, stdin: str | None, return_code: int, stdout: str
) -> None:
    stage = await run(sandbox, code, language=language, stdin=stdin)
    assert (stage.status, stage.return_code, stage.stdout) == (StageStatus.FINISHED, return_code, stdout)
    assert not stage.output_truncated
    assert not stage.memory_exceeded


@needs_gxx
async def test_a_cpp_program_is_compiled_and_run(sandbox: HttpSandbox) -> None:
    code = "#include <iostream>\nint main(){int x;std::cin>>x;std::cout<<x+1;return 4;}"
    result = await sandbox.run(RunRequest(code=code, language="cpp", stdin="41"))
    assert result.compile is not None and result.compile.return_code == 0
    assert result.run is not None and (result.run.stdout, result.run.return_code) == ("42", 4)


@needs_gxx
async def test_a_failed_compilation_has_no_run(sandbox: HttpSandbox) -> None:
    result = await sandbox.run(RunRequest(code="int main(){ return x; }", language="cpp"))
    assert result.run is None
    assert result.compile is not None and result.compile.return_code == 1
    assert "main.cpp:1" in result.compile.stderr


@pytest.mark.parametrize("limit", [{"run_timeout_s": 2.0}, {"cpu_limit_s": 0.4, "run_timeout_s": 120.0}])
async def test_a_time_limit_has_no_return_code_and_keeps_the_output_so_far(
    sandbox: HttpSandbox, limit: dict[str, float]
) -> None:
    stage = await run(sandbox, "print('partial', flush=True)\nwhile True: pass", **limit)
    assert (stage.status, stage.return_code, stage.stdout) == (StageStatus.TIME_LIMIT, None, "partial\n")
    assert stage.execution_time_s < 100  # the CPU limit does not wait for the wall clock


async def test_waiting_does_not_use_up_the_cpu_limit(sandbox: HttpSandbox) -> None:
    stage = await run(sandbox, "import time; time.sleep(0.6); print('done')", cpu_limit_s=0.4)
    assert (stage.status, stage.stdout) == (StageStatus.FINISHED, "done\n")


@pytest.mark.parametrize(
    ("code", "low", "high"),
    [
        ("import time\nwhile time.process_time() < 0.3: pass", 0.25, 3.0),
        ("import time; time.sleep(0.6)", 0.0, 0.5),
    ],
)
async def test_a_stage_says_what_cpu_time_it_used(
    sandbox: HttpSandbox, code: str, low: float, high: float
) -> None:
    stage = await run(sandbox, code)
    assert stage.cpu_time_s is not None
    assert low <= stage.cpu_time_s < high


async def test_a_compiler_has_a_cpu_limit_of_its_own(sandbox: HttpSandbox) -> None:
    source = "#include <bits/stdc++.h>\nint main() { std::cout << 1; }"
    request = RunRequest(source, "cpp", compile_timeout_s=120.0, compile_cpu_limit_s=0.1)
    result = await sandbox.run(request)
    assert result.compile is not None and result.compile.status is StageStatus.TIME_LIMIT
    assert result.run is None
    result = await sandbox.run(replace(request, compile_cpu_limit_s=60.0))
    assert result.run is not None and result.run.stdout == "1"


async def test_the_cpu_time_of_waited_for_children_counts(sandbox: HttpSandbox) -> None:
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    end = time.process_time() + 0.6\n"
        "    while time.process_time() < end: pass\n"
        "    os._exit(0)\n"
        "os.wait()"
    )
    assert (await run(sandbox, code, cpu_limit_s=0.3)).status is StageStatus.TIME_LIMIT


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "x = bytearray(400 << 20)"),
        ("python", "x = []\nwhile True: x.append('y' * 1_000_000)"),
        pytest.param(
            "cpp",
            "#include <vector>\nint main(){std::vector<std::vector<char>> v;"
            "for(;;) v.emplace_back(1<<20, 'x');}",
            marks=needs_gxx,
        ),
        pytest.param(
            "cpp",
            "#include <cstdlib>\n#include <cstring>\nint main(){for(;;) memset(malloc(1<<20), 1, 1<<20);}",
            marks=needs_gxx,
        ),
        pytest.param("nodejs", "let a = []; for (;;) a.push(new Array(1e5).fill(1.5))", marks=needs_node),
    ],
)
async def test_a_program_stopped_by_its_memory_limit_says_so(
    sandbox: HttpSandbox, language: str, code: str
) -> None:
    stage = await run(sandbox, code, language=language, memory_limit_mb=200)
    assert stage.status is StageStatus.FINISHED
    assert stage.return_code != 0
    assert stage.memory_exceeded


async def test_a_program_within_its_memory_limit_does_not_say_so(sandbox: HttpSandbox) -> None:
    code = (
        "x = bytearray(100 << 20)\ntry:\n    y = bytearray(900 << 20)\nexcept MemoryError:\n    print('held')"
    )
    stage = await run(sandbox, code, memory_limit_mb=200)
    assert (stage.stdout, stage.return_code, stage.memory_exceeded) == ("held\n", 0, False)


async def test_output_beyond_the_cap_is_cut_and_flagged(sandbox: HttpSandbox) -> None:
    stage = await run(sandbox, "import sys\nsys.stdout.write('x' * 5_000_000)\nsys.stderr.write('end')")
    assert (len(stage.stdout), stage.output_truncated) == (1 << 20, True)
    assert (stage.return_code, stage.stderr) == (0, "end")


async def test_output_at_the_cap_is_whole_and_not_flagged(sandbox: HttpSandbox) -> None:
    stage = await run(sandbox, f"print('x' * {(1 << 20) - 1})")
    assert (len(stage.stdout), stage.output_truncated) == (1 << 20, False)


async def test_an_endless_flood_ends_early_and_flagged(sandbox: HttpSandbox) -> None:
    stage = await run(sandbox, "while True: print('x' * 1_000_000)", run_timeout_s=120)
    assert stage.output_truncated
    assert (stage.status, stage.return_code) == (StageStatus.FINISHED, -9)


async def test_output_that_is_not_utf8_is_replaced_not_refused(sandbox: HttpSandbox) -> None:
    stage = await run(sandbox, r"import os; os.write(1, b'a\xff\xfeb')")
    assert stage.stdout == "a��b"


@pytest.mark.parametrize("num_bytes", [0, 1, 65_536, 65_537, 3_000_000])
async def test_standard_input_of_any_size_arrives_whole(sandbox: HttpSandbox, num_bytes: int) -> None:
    stage = await run(sandbox, "import sys; print(len(sys.stdin.buffer.read()))", stdin="x" * num_bytes)
    assert stage.stdout == f"{num_bytes}\n"


async def test_a_program_may_ignore_a_large_standard_input(sandbox: HttpSandbox) -> None:
    assert (await run(sandbox, "print('ok')", stdin="x" * 3_000_000)).stdout == "ok\n"


async def test_files_go_in_and_come_back(sandbox: HttpSandbox) -> None:
    request = RunRequest(
        code="open('out.bin', 'wb').write(open('in/data.bin', 'rb').read()[::-1])",
        files={"in/data.bin": b"\x00\x01\xff"},
        fetch_files=("out.bin", "in/data.bin", "missing"),
    )
    result = await sandbox.run(request)
    assert result.files == {"out.bin": b"\xff\x01\x00", "in/data.bin": b"\x00\x01\xff"}
    assert result.files_left_out == {"missing": "no such file"}


async def test_files_are_fetched_after_a_time_limit_too(sandbox: HttpSandbox) -> None:
    code = "open('log', 'w').write('so far')\nopen('log2', 'w')\nwhile True: pass"
    result = await sandbox.run(RunRequest(code=code, run_timeout_s=0.4, fetch_files=("log",)))
    assert result.files == {"log": b"so far"}


async def test_symlinks_and_special_files_are_not_fetched(sandbox: HttpSandbox) -> None:
    code = (
        "import os\n"
        "os.symlink('/etc/passwd', 'link'); os.symlink('/', 'root'); os.mkfifo('pipe'); os.mkdir('folder')\n"
        "open('plain', 'w').write('yes')"
    )
    fetch = ("link", "root/etc/passwd", "pipe", "folder", "plain")
    result = await sandbox.run(RunRequest(code=code, fetch_files=fetch))
    assert result.files == {"plain": b"yes"}
    assert result.files_left_out == dict.fromkeys(fetch[:-1], "not a regular file")


async def test_a_file_that_does_not_fit_into_the_reply_is_named_and_the_next_one_comes(
    sandbox: HttpSandbox,
) -> None:
    code = "open('big', 'wb').truncate((64 << 20) + 1)\nopen('small', 'w').write('yes')"
    result = await sandbox.run(RunRequest(code=code, fetch_files=("big", "missing", "small")))
    assert result.files == {"small": b"yes"}
    assert result.files_left_out == {
        "big": "67108865 bytes, and at most 67108864 bytes are sent in all",
        "missing": "no such file",
    }


async def test_the_order_of_a_set_is_the_same_in_every_run_and_server(sandbox: HttpSandbox) -> None:
    code = "print(hash('word ladder'), list({'hot', 'dot', 'dog', 'lot', 'log', 'cog'}))"
    plain = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env={"PYTHONHASHSEED": "0"}, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await asyncio.wait_for(plain.communicate(), 30)
    assert (await run(sandbox, code)).stdout == printed.decode()


async def test_every_run_starts_in_an_empty_directory_of_its_own(sandbox: HttpSandbox) -> None:
    code = "import os; print(os.listdir('.'), os.listdir('/tmp')); open('mine', 'w').close()"
    outputs = {(await run(sandbox, code)).stdout for _ in range(5)}
    assert len(outputs) == 1
    assert "mine" not in outputs.pop()


async def test_many_runs_at_a_time_do_not_mix(sandbox: HttpSandbox) -> None:
    async def one(number: int) -> bool:
        stage = await run(sandbox, "print(int(input()) * 2)", stdin=str(number))
        return stage.stdout == f"{number * 2}\n"

    assert all(await asyncio.gather(*(one(number) for number in range(60))))
