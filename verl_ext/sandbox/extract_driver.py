"""Executes the extraction logic that came with a submission; a program of ours that runs inside the jail.

Reads ``{completion, logic}`` from standard input and writes the code blocks as JSON to a file of its own, so
that the logic may print. Its names are those SandboxFusion gives to such logic.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from completion_code import CodeBlock, extract_fenced_code, extract_heuristic_code

BLOCKS = ".blocks.json"


def main() -> None:
    request = json.load(sys.stdin)
    blocks: list[CodeBlock] = []
    names = {
        "__name__": "__main__",
        "CodeBlock": CodeBlock,
        "completion": request["completion"],
        "submit_code_blocks": blocks.extend,
        "extract_fenced_code": extract_fenced_code,
        "extract_heuristic_code": extract_heuristic_code,
    }
    exec(compile(request["logic"], "<custom_extract_logic>", "exec", dont_inherit=True), names)
    Path(BLOCKS).write_text(json.dumps([[int(b.priority), str(b.language), str(b.code)] for b in blocks]))


main()
