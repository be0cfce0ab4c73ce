#!/usr/bin/env bash
# Runs the embedded sandbox in the foreground (SandboxFusion's protocol, http://127.0.0.1:8080 by default) and
# starts it again when it dies.
# Arguments go to the server: bash scripts/serve_sandbox.sh --port 8090 --num-workers 4; --help lists them.
set -euo pipefail
repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python=python3
if [[ -x "$repository/.venv/bin/python" ]]; then
    python="$repository/.venv/bin/python"
fi
export PYTHONPATH="$repository${PYTHONPATH:+:$PYTHONPATH}"
exec "$python" -m verl_ext.sandbox.supervisor "$@"
