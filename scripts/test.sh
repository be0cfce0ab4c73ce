#!/usr/bin/env bash
# Sets up .venv if needed and runs all the tests; arguments go to pytest (scripts/test.sh -m "not e2e").
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
scripts/check.sh
exec .venv/bin/python -m pytest "$@"
