#!/usr/bin/env bash
# Format, lint and types. scripts/check.sh --fix mends what can be mended.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
if [ "${1:-}" = --fix ]; then
    .venv/bin/ruff format .
    .venv/bin/ruff check --fix .
else
    .venv/bin/ruff format --check .
    .venv/bin/ruff check .
fi
.venv/bin/mypy
