"""Hostile programs, in every tier this machine has: each is held, and the server goes on."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.protocol import RunRequest, RunResult, StageResult, StageStatus

REPOSITORY = Path(__file__).parents[3]


async def run(jail: HttpSandbox, code: str, **fields: object) -> StageResult:
    result = await jail.run(RunRequest(code=code, **fields))  # type: ignore[arg-type]
    assert result.run is not None
    return result.run


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/shadow').read()",
        "open('/etc/passwd', 'a')",
        "open('/usr/lib/mine', 'w')",
        "open('/var/tmp/mine', 'w')",
        "open('/dev/sda')",
        "open('/dev/kmsg').read(1)",
        "open('/proc/sysrq-trigger', 'w')",
        "open('/proc/1/environ').read()",
        "open('/proc/1/mem', 'rb')",
        "os.readlink('/proc/1/root')",
        "os.listdir('/proc/1/root/home')",
        "os.listdir('/proc/1/cwd')",
        "open(f'/proc/{SERVER}/environ').read()",
        "open(f'{REPOSITORY}/pyproject.toml').read()",
        "os.kill(SERVER, 0)",
        "socket.create_connection(('127.0.0.1', PORT), 2)",
        "socket.create_connection((HOST_ADDRESS, PORT), 2)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)",
        "socket.socket(40, socket.SOCK_STREAM)",  # AF_VSOCK: would reach the machine's hypervisor
        "socket.socket(38, socket.SOCK_SEQPACKET)",  # AF_ALG: the kernel's own cryptography
        "syscall(438, os.pidfd_open(1), 0, 0)",  # pidfd_getfd
        "os.setuid(0)",
        "os.chroot('/')",
        "os.mknod('disk', 0o60600, os.makedev(254, 0))",
        "syscall(165, b'none', b'/tmp', b'tmpfs', 0, None)",  # mount
        "syscall(272, 0x10000000)",  # unshare(CLONE_NEWUSER)
        "syscall(56, 0x10000000 | 17, 0, 0, 0, 0)",  # clone(CLONE_NEWUSER)
        "syscall(435, b'\\0' * 88, 88)",  # clone3
        "syscall(101, 16, 1, 0, 0)",  # ptrace(ATTACH)
        "syscall(321, 0, b'\\0' * 128, 128)",  # bpf
        "syscall(425, 8, b'\\0' * 120)",  # io_uring_setup
        "syscall(298, b'\\0' * 128, 0, -1, -1, 0)",  # perf_event_open
        "syscall(250, 0, 0)",  # keyctl
        "syscall(310, SERVER, 0, 0, 0, 0, 0)",  # process_vm_readv
        "syscall(155, b'.', b'.')",  # pivot_root
        "syscall(308, os.open('/proc/self/ns/user', 0), 0)",  # setns
        "syscall(175, b'', 0, b'')",  # init_module
        "syscall(246, 0, 0, 0, 0)",  # kexec_load
        "syscall(304, -100, b'\\0' * 64, 0)",  # open_by_handle_at
        "syscall(323, 0)",  # userfaultfd
        "syscall(428, -100, b'/', 1)",  # open_tree
        "syscall(430, b'tmpfs', 0)",  # fsopen
        "syscall(0x40000000 + 39)",  # the x32 twin of getpid
        "open('/proc/self/root/etc/shadow').read()",
        "open('/proc/sys/kernel/core_pattern', 'w')",
        "os.write(os.open('/proc/self/oom_score_adj', os.O_WRONLY), b'-1000')",
        "open('/proc/kcore', 'rb').read(1)",
        "open('/sys/fs/cgroup/memory/cgroup.procs', 'w').write('0')",
        "open('/sys/fs/cgroup/cgroup.procs', 'w').write('0')",
        "os.listdir('/var/log')",
        "os.nice(-5)",
        "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
        "socket.create_connection(('::1', PORT), 2)",
        "resource.setrlimit(resource.RLIMIT_DATA, (1 << 40, 1 << 40))",
        "resource.setrlimit(resource.RLIMIT_NPROC, (10_000, 10_000))",
    ],
)
async def test_what_a_program_must_not_do_fails(attempt: str, jail: HttpSandbox, tier_server: Any) -> None:
    if "syscall(" in attempt and os.uname().machine != "x86_64":
        pytest.skip("numbers of x86_64")
    port = int(tier_server.endpoint.rsplit(":", 1)[1])
    host_address = socket.gethostbyname(socket.gethostname())
    facts = (tier_server.pid, port, host_address, str(REPOSITORY))
    code = f"""
import ctypes, os, resource, socket
SERVER, PORT, HOST_ADDRESS, REPOSITORY = {facts!r}
libc = ctypes.CDLL(None, use_errno=True)
def syscall(*arguments):
    if libc.syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "syscall")
try:
    {attempt}
except (OSError, ValueError) as error:
    print("held")
"""
    assert (await run(jail, code)).stdout == "held\n"


async def test_a_program_has_no_privileges_and_can_t_gain_any(jail: HttpSandbox) -> None:
    stage = await run(jail, "print(open('/proc/self/status').read())")
    status = dict(line.split(":\t", 1) for line in stage.stdout.splitlines() if ":\t" in line)
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert "0" not in status["Uid"].split() + status["Gid"].split()


async def test_two_hundred_megabytes_of_output_are_cut(jail: HttpSandbox) -> None:
    stage = await run(jail, "import os\nfor _ in range(200): os.write(1, b'x' * (1 << 20))", run_timeout_s=30)
    assert (len(stage.stdout), stage.output_truncated) == (1 << 20, True)
    assert (await run(jail, "print('next')")).stdout == "next\n"


async def test_symlinks_are_not_fetched(jail: HttpSandbox) -> None:
    code = (
        "import os\nos.symlink('/etc/passwd', 'link')\nos.symlink('/', 'root')\nos.mkfifo('pipe')\n"
        "os.symlink('link', 'second')\nopen('plain', 'w').write('yes')"
    )
    fetch = ("link", "root/etc/passwd", "pipe", "second", "plain")
    result = await jail.run(RunRequest(code=code, fetch_files=fetch))
    assert result.files == {"plain": b"yes"}
    assert set(result.files_left_out) == set(fetch[:-1])


async def test_the_environment_of_the_server_is_not_passed_on(jail: HttpSandbox) -> None:
    stage = await run(jail, "import os; print(sorted(os.environ))\nprint(open('/proc/self/environ').read())")
    assert set(eval(stage.stdout.splitlines()[0])) <= {
        "HOME",
        "LANG",
        "LC_CTYPE",
        "PATH",
        "PYTHONHASHSEED",
        "TMPDIR",
    }
    assert "PYTHONPATH" not in stage.stdout


async def test_no_descriptor_of_the_server_is_passed_on(jail: HttpSandbox) -> None:
    code = "import os; print([fd for fd in range(3, 1000) if os.path.exists(f'/proc/self/fd/{fd}')])"
    assert (await run(jail, code, fetch_files=("x",))).stdout == "[]\n"
    stage = await run(jail, "ls /proc/self/fd | wc -l", language="bash")
    assert int(stage.stdout) <= 4  # ls itself opens the folder


@pytest.mark.parametrize("target", ["-1", "0", "1", "os.getppid()"])
async def test_signals_reach_nobody_else(target: str, jail: HttpSandbox) -> None:
    other = asyncio.create_task(run(jail, "import time; time.sleep(0.6); print('alive')"))
    await asyncio.sleep(0.2)
    code = (
        "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"for kind in (15, 9):\n    try:\n        {target} > 1 or os.kill({target}, kind)\n"
        "    except OSError: pass\n"
    )
    await run(jail, code)
    assert (await other).stdout == "alive\n"
    assert (await run(jail, "print('next')")).stdout == "next\n"


async def test_no_signal_ends_the_process_that_holds_a_run(jail: HttpSandbox, tier_server: Any) -> None:
    if tier_server.tier != "A":
        pytest.skip("the process of number 1 is the machine's")
    code = (
        "import contextlib, os, signal\nfor kind in range(1, signal.NSIG):\n"
        "    with contextlib.suppress(OSError):\n        os.kill(1, kind)\nprint('still here')"
    )
    for _ in range(2):
        result = await jail.run(RunRequest(code))
        assert result.run is not None and result.run.stdout == "still here\n", result


@pytest.mark.parametrize("ending", ["", "os._exit(3)", "while True: pass", "os.kill(os.getpid(), 9)"])
async def test_a_daemon_does_not_outlive_its_run(ending: str, jail: HttpSandbox) -> None:
    token = f"sandboxdaemon{os.getpid()}{abs(hash(ending))}"
    code = f"""
import os, signal, sys, time
ready, done = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)
        for fd in (0, 1, 2): os.close(fd)
        os.write(done, b"x")
        os.execv(sys.executable, [{token!r}, "-c", "import time; time.sleep(60)"])
    os._exit(0)
os.read(ready, 1)
time.sleep(0.05)
{ending}
"""
    await run(jail, code, run_timeout_s=1.0)
    assert not _processes_named(token)


def _processes_named(token: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if token.encode() in (entry / "cmdline").read_bytes().split(b"\0")[0]:
                    found.append(int(entry.name))
            except OSError:
                pass
    return found


async def test_a_fork_bomb_is_bounded_and_others_go_on(jail: HttpSandbox) -> None:
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n"
    bombs = [asyncio.create_task(run(jail, bomb, run_timeout_s=1.0)) for _ in range(2)]
    await asyncio.sleep(0.3)
    assert (await run(jail, "print('alive')", run_timeout_s=30)).stdout == "alive\n"
    for task in bombs:
        assert (await task).status is StageStatus.TIME_LIMIT


async def test_processes_are_counted_per_run(jail: HttpSandbox) -> None:
    code = """
import os, time
count = 0
try:
    while count < 500:
        if os.fork() == 0:
            time.sleep(60); os._exit(0)
        count += 1
except OSError:
    pass
print(count)
"""
    counts = [int((await run(jail, code)).stdout) for _ in range(2)]
    assert all(20 < count < 200 for count in counts)


async def test_two_gigabytes_in_one_process_are_refused(jail: HttpSandbox) -> None:
    stage = await run(jail, "x = bytearray(2 << 30); print(len(x))")
    assert (stage.stdout, stage.memory_exceeded) == ("", True)


@pytest.mark.parametrize("how", ["f.write(b'x' * (1 << 20))", "f.seek(1 << 20, 1); f.write(b'x')"])
async def test_a_huge_file_is_refused(how: str, jail: HttpSandbox) -> None:
    code = f"f = open('big', 'wb', 0)\nfor _ in range(1000): {how}\nprint('all written')"
    stage = await run(jail, code)
    assert stage.stdout == ""
    assert stage.return_code != 0


@pytest.mark.parametrize("folder", ["", "a", "a/b/c"])
async def test_many_files_can_t_fill_the_disk(folder: str, jail: HttpSandbox) -> None:
    code = (
        f"import os, time\nos.makedirs('./{folder}', exist_ok=True)\n"
        f"for n in range(200): open('./{folder}/' + str(n), 'wb', 0).write(b'x' * (4 << 20))\n"
        "time.sleep(5)\nprint('all written')"
    )
    stage = await run(jail, code, run_timeout_s=30)
    assert stage.stdout == ""
    assert stage.return_code != 0


async def test_a_run_can_t_read_another_run_s_files(jail: HttpSandbox) -> None:
    writer = "import time\nopen('secret.txt', 'w').write('s3cret')\ntime.sleep(1)"
    first = asyncio.create_task(run(jail, writer))
    await asyncio.sleep(0.4)
    code = """
import os, pathlib
for root in ("/tmp", os.path.dirname(os.getcwd())):
    try:
        for folder, _, files in os.walk(root):
            if "secret.txt" in files:
                print(pathlib.Path(folder, "secret.txt").read_text())
    except OSError:
        pass
"""
    assert "s3cret" not in (await run(jail, code)).stdout
    await first


@pytest.mark.parametrize("path", ["../x", "/etc/cron.d/x", "a/../../x", "..", "", "a\0b"])
@pytest.mark.parametrize("field", ["files", "fetch_files"])
async def test_paths_out_of_the_working_directory_are_refused(
    path: str, field: str, tier_server: Any
) -> None:
    value: object = {path: ""} if field == "files" else [path]
    body = {"code": "print(1)", "language": "python", field: value}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{tier_server.endpoint}/run_code", json=body) as response,
    ):
        assert response.status == 422
        assert field in (await response.json())["detail"]


async def test_nothing_is_left_on_the_host(jail: HttpSandbox, tier_server: Any) -> None:
    def mounts() -> list[str]:
        return Path("/proc/self/mounts").read_text().splitlines()

    def folders() -> list[str]:
        own = f"verl-ext-sandbox-{tier_server.pid}-"
        return [str(path) for root in Path("/tmp").glob(f"{own}*") for path in root.iterdir()]

    async def one() -> RunResult:
        return await jail.run(RunRequest(code="open('x', 'w').write('y' * 100)", fetch_files=("x",)))

    before = mounts()
    await asyncio.gather(*(one() for _ in range(20)))
    assert mounts() == before
    assert folders() == []
    for _ in range(50):
        if _num_descendants(tier_server.pid) <= 2 * (os.cpu_count() or 1):
            break
        await asyncio.sleep(0.1)
    assert _num_descendants(tier_server.pid) <= 2 * (os.cpu_count() or 1)  # keeper and fork server


def _num_descendants(pid: int) -> int:
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return len(children) + sum(_num_descendants(child) for child in children)
