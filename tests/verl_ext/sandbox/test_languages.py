"""Every language: a program that reads and prints, one that does not compile, one that is not installed."""

from __future__ import annotations

import shutil
import sys
from typing import Any

import aiohttp
import pytest

from verl_ext.sandbox import languages
from verl_ext.sandbox.client import HttpSandbox
from verl_ext.sandbox.embedded import EmbeddedServer
from verl_ext.sandbox.errors import ToolchainMissing
from verl_ext.sandbox.languages import LANGUAGES, Language
from verl_ext.sandbox.protocol import CasesRequest, RunRequest, StageStatus

_SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin"
_PLUS_ONE = {
    "python": "print(int(input()) + 1)",
    "bash": "read x; echo $((x + 1))",
    "cpp": "#include <iostream>\nint main() { int x; std::cin >> x; std::cout << x + 1 << std::endl; }",
    "rust": (
        "use std::io;\nfn main() { let mut s = String::new(); io::stdin().read_line(&mut s).unwrap();\n"
        'let x: i32 = s.trim().parse().unwrap(); println!("{}", x + 1); }'
    ),
    "go": (
        'package main\nimport ("fmt"; "sort")\n'
        "func main() { var x int; fmt.Scan(&x); s := []int{x + 1}; sort.Ints(s); fmt.Println(s[0]) }"
    ),
    "java": (
        "import java.util.*;\npublic class Main { interface Op { int of(int x); }\n"
        "static class Inc implements Op { public int of(int x) { return x + 1; } }\n"
        "public static void main(String[] a) {\n"
        "System.out.println(new Inc().of(new Scanner(System.in).nextInt())); } }"
    ),
    "scala": "object Solution extends App { println(scala.io.StdIn.readInt() + 1) }",
    "kotlin_script": "println(readLine()!!.toInt() + 1)",
    "csharp": (
        "using System; class P { static void Main() {"
        " Console.WriteLine(int.Parse(Console.ReadLine()) + 1); } }"
    ),
    "nodejs": "console.log(Number(require('fs').readFileSync(0, 'utf8')) + 1)",
    "typescript": "const x: number = Number(require('fs').readFileSync(0, 'utf8')); console.log(x + 1)",
    "php": "echo intval(fgets(STDIN)) + 1, PHP_EOL;",
    "perl": 'my $x = <STDIN>; print $x + 1, "\\n";',
    "ruby": "puts gets.to_i + 1",
    "lua": "print(io.read('n') + 1)",
    "R": 'x <- as.integer(readLines(file("stdin"), n = 1)); cat(x + 1L, "\\n", sep = "")',
    "julia": "println(parse(Int, readline()) + 1)",
}
# language: (a test that passes, one that fails)
_UNIT_TESTS = {
    "pytest": ("def test_sum():\n    assert 1 + 1 == 2\n", "def test_sum():\n    assert 1 + 1 == 3\n"),
    "jest": (
        "test('sum', () => expect(1 + 1).toBe(2))",
        "test('sum', () => expect(1 + 1).toBe(3))",
    ),
    "go_test": (
        'package main\nimport "testing"\nfunc TestSum(t *testing.T) { if 1 + 1 != 2 { t.Fatal() } }',
        'package main\nimport "testing"\nfunc TestSum(t *testing.T) { if 1 + 1 != 3 { t.Fatal() } }',
    ),
    "junit": (
        "import org.junit.jupiter.api.*;\npublic class SumTest { @Test void sum() {"
        " Assertions.assertEquals(2, 1 + 1); } }",
        "import org.junit.jupiter.api.*;\npublic class SumTest { @Test void sum() {"
        " Assertions.assertEquals(3, 1 + 1); } }",
    ),
    "lean": ("theorem t : 1 + 1 = 2 := rfl", "theorem t : 1 + 1 = 3 := rfl"),
}
_BROKEN = {
    "cpp": "int main() { return x; }",
    "rust": "fn main() { x }",
    "go": "package main\nfunc main() { x }",
    "java": "public class Main { int f() { return x; } }",
    "csharp": "class P { static void Main() { x; } }",
}


def _needs(language: str) -> None:
    if part := LANGUAGES[language].missing_part(_SEARCH_PATH, sys.executable):
        pytest.skip(f"no {part}")


def test_every_language_has_a_program_here() -> None:
    assert _PLUS_ONE.keys() | _UNIT_TESTS.keys() == LANGUAGES.keys()


@pytest.mark.parametrize("language", sorted(_PLUS_ONE))
async def test_a_program_reads_its_input_and_prints(sandbox: HttpSandbox, language: str) -> None:
    _needs(language)
    request = RunRequest(
        _PLUS_ONE[language],
        language,
        stdin="41\n",
        compile_timeout_s=60,
        run_timeout_s=60,
        memory_limit_mb=256,
    )
    result = await sandbox.run(request)
    assert result.run is not None, result.compile
    assert (result.run.stdout, result.run.return_code) == ("42\n", 0), result.run.stderr
    assert (result.compile is not None) is (LANGUAGES[language].compile is not None)


@pytest.mark.parametrize("language", sorted(_PLUS_ONE))
async def test_every_language_runs_in_every_tier(jail: HttpSandbox, tier_server: Any, language: str) -> None:
    try:
        result = await jail.run(
            RunRequest(_PLUS_ONE[language], language, stdin="41\n", compile_timeout_s=60, run_timeout_s=60)
        )
    except ToolchainMissing as error:
        pytest.skip(str(error))
    assert result.run is not None, result.compile
    assert (result.run.stdout, result.run.return_code) == ("42\n", 0), (tier_server, result.run.stderr)


@pytest.mark.parametrize("language", sorted(_UNIT_TESTS))
async def test_a_test_that_fails_is_a_return_code(sandbox: HttpSandbox, language: str) -> None:
    _needs(language)
    for code, passes in zip(_UNIT_TESTS[language], (True, False), strict=True):
        result = await sandbox.run(RunRequest(code, language, compile_timeout_s=60, run_timeout_s=60))
        assert result.run is not None, result.compile
        assert (result.run.return_code == 0) is passes, result.run


@pytest.mark.parametrize("language", sorted(_BROKEN))
async def test_what_does_not_compile_is_not_run(sandbox: HttpSandbox, language: str) -> None:
    _needs(language)
    result = await sandbox.run(RunRequest(_BROKEN[language], language, compile_timeout_s=60))
    assert result.run is None
    assert result.compile is not None
    assert result.compile.status is StageStatus.FINISHED
    assert result.compile.return_code not in (0, 127)
    assert result.compile.stderr + result.compile.stdout


@pytest.mark.parametrize(
    ("language", "code"),
    [
        (
            "java",
            "public class Main { public static void main(String[] a) { long[] x = new long[1 << 28]; } }",
        ),
        ("php", "$x = []; while (true) $x[] = str_repeat('x', 1 << 20);"),
        ("ruby", "x = []; loop { x << 'x' * (1 << 20) }"),
        ("lua", "x = {} while true do x[#x + 1] = string.rep('x', 1 << 20) .. #x end"),
        ("rust", "fn main() { let mut v: Vec<Vec<u8>> = vec![]; loop { v.push(vec![1; 1 << 20]); } }"),
        (
            "csharp",
            "class P { static void Main() { var x = new long[1 << 28]; System.Console.Write(x[5]); } }",
        ),
        (
            "csharp",
            "using System.Collections.Generic; class P { static void Main() { var x = new List<byte[]>();"
            " while (true) { var b = new byte[1 << 20];"
            " for (int i = 0; i < b.Length; i += 4096) b[i] = 1; x.Add(b); } } }",
        ),
        (
            "csharp",
            "using System.Collections.Generic; class P { static void Main() { var x = new List<string>();"
            " while (true) x.Add(new string('x', 10) + x.Count); } }",
        ),
        ("bash", "x=x; while :; do x=$x$x; done"),
        ("perl", "my @x; while (1) { push @x, 'x' x (1 << 20); }"),
        ("R", "x <- list(); i <- 1; while (TRUE) { x[[i]] <- rnorm(1e6); i <- i + 1 }"),
        ("nodejs", "const x = []; for (;;) x.push(new Array(1 << 17).fill(Math.random()))"),
        ("nodejs", "const x = []; for (;;) x.push(Buffer.alloc(1 << 20, 1))"),
        ("typescript", "const x: any[] = []; for (;;) x.push(new Array(1 << 17).fill(Math.random()))"),
        (
            "scala",
            "object M extends App { var x = List[Array[Long]]();"
            " while (true) x = new Array[Long](1 << 20) :: x }",
        ),
        ("kotlin_script", "val x = ArrayList<LongArray>(); while (true) x.add(LongArray(1 shl 20))"),
        ("go", "package main\nfunc main() { x := [][]byte{}; for { x = append(x, make([]byte, 1<<20)) } }"),
    ],
)
async def test_the_memory_limit_is_said_in_every_language(
    sandbox: HttpSandbox, language: str, code: str
) -> None:
    _needs(language)
    request = RunRequest(code, language, compile_timeout_s=60, run_timeout_s=60, memory_limit_mb=200)
    result = await sandbox.run(request)
    assert result.run is not None, result.compile
    assert result.run.return_code != 0
    assert result.run.memory_exceeded, result.run.stderr


async def test_java_recurses_as_deeply_as_the_others(sandbox: HttpSandbox) -> None:
    _needs("java")
    code = (
        "public class Main { static int depth(int n) { return n == 0 ? 0 : 1 + depth(n - 1); }\n"
        "public static void main(String[] a) { System.out.println(depth(200000)); } }"
    )
    result = await sandbox.run(RunRequest(code, "java", compile_timeout_s=60, run_timeout_s=60))
    assert result.run is not None and result.run.stdout == "200000\n", result


@pytest.mark.parametrize("language", ["cpp", "java", "julia", "nodejs", "rust", "typescript"])
async def test_a_missing_toolchain_answers_127_and_is_never_a_result(
    server: EmbeddedServer, sandbox: HttpSandbox, language: str
) -> None:
    part = LANGUAGES[language].missing_part(_SEARCH_PATH, sys.executable)
    if not part:
        pytest.skip("it is installed here")
    async with aiohttp.ClientSession(server.endpoint) as session:
        async with session.get("/status") as response:
            assert language in (await response.json())["missing_toolchains"]
        async with session.post("/run_code", json={"code": "1", "language": language}) as response:
            reply = await response.json()
    assert (reply["status"], reply["missing_toolchain"]) == ("Failed", part)
    compiled = LANGUAGES[language].compile is not None
    stage, other = ("compile_result", "run_result") if compiled else ("run_result", "compile_result")
    assert (reply[stage]["status"], reply[stage]["return_code"]) == ("Finished", 127)
    assert reply[other] is None
    with pytest.raises(ToolchainMissing, match=part):
        await sandbox.run(RunRequest("1", language))
    cases = CasesRequest(RunRequest("1", language), ("1", "2"))
    with pytest.raises(ToolchainMissing, match=part):
        _ = [result async for result in sandbox.run_cases(cases)]


def test_what_a_language_needs_is_looked_for_where_programs_see_it() -> None:
    assert shutil.which("sh", path=_SEARCH_PATH)
    present = Language("x", run=("sh", "x"), needs=("import json", "/bin/s[h]"))
    assert present.missing_part(_SEARCH_PATH, sys.executable) == ""
    assert present.missing_part("/nonexistent", sys.executable) == "sh"
    for need, missing in (
        ("import no_such_module", "no_such_module"),
        ("/no/such*", "/no/such*"),
        ("no-cc", "no-cc"),
    ):
        language = Language("x", run=("sh", "x"), needs=(need,))
        assert language.missing_part(_SEARCH_PATH, sys.executable) == missing
    assert set(languages.missing_toolchains("/nonexistent", sys.executable)) >= {"cpp", "nodejs", "java"}


def test_a_class_path_opens_no_folder_that_others_fill() -> None:
    for language in LANGUAGES.values():
        for command in (language.compile or (), language.run or ()):
            folders = [part for word in command for part in word.split(":") if part.endswith("/*")]
            assert not folders, "every jar of a folder is opened, and programs may open 512 files"


def test_php_gets_its_opening_tag_only_where_it_is_missing() -> None:
    php = LANGUAGES["php"]
    assert php.source_text("echo 1;") == "<?php\necho 1;"
    assert php.source_text("<?php echo 1;") == "<?php echo 1;"


@pytest.mark.parametrize(
    ("code", "source"),
    [
        ("public class SumTest {}", "SumTest.java"),
        ("public final class A {}", "A.java"),
        ("class Hidden {}", "Main.java"),
    ],
)
def test_a_java_test_is_in_the_file_of_its_public_class(code: str, source: str) -> None:
    language = LANGUAGES["junit"].for_source(code)
    assert language.source == source
    assert language.compile is not None and source in language.compile
