#!/usr/bin/env bash
# The whole pipeline on one machine without a GPU: set-up, data, tiny model, SFT, RL, evaluation, report.
# quickstart.sh [OUTPUT_DIR] [SEED]; run it again after an interruption and it goes on where it was.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-outputs/quickstart}
seed=${2:-0}
stage_number=0

stage() { # stage TITLE DONE_MARKER COMMAND...
    local title=$1 marker=$2 started
    shift 2
    stage_number=$((stage_number + 1))
    if [ -e "$marker" ]; then
        echo "[$stage_number/6] $title: already done ($marker)"
        return
    fi
    echo "[$stage_number/6] $title"
    mkdir -p "$out/logs"
    local log=$out/logs/$stage_number.log
    started=$(date +%s)
    if ! "$@" > "$log" 2>&1; then
        tail -n 25 "$log" >&2
        echo "error: stage $stage_number failed; its log is $log; run the same command again to go on" >&2
        exit 1
    fi
    echo "      $(($(date +%s) - started)) s, log $log"
}

started=$(date +%s)
scripts/setup.sh cpu
# data-parallel SFT halves its time on two cores; the batch stays the same
sft_processes=$(($(nproc) < 2 ? 1 : 2))
python=.venv/bin/python
stage "data: problems, bugs that were really run, conversations" "$out/data/manifest.json" \
    "$python" data_preprocess/preprocess.py data=quickstart seed="$seed" output_dir="$out/data"
stage "model: a tiny Qwen2 with random weights" "$out/base/config.json" \
    "$python" -m recipe.code_agentic.tiny_model conversations="$out/data/sft_train.parquet" \
    output_dir="$out/base" seed="$seed"
stage "SFT on verl" "$out/sft/model" \
    bash recipe/code_agentic/run_sft.sh scale=cpu model=tiny model.profile.path="$out/base" \
    scale.gpus_per_node="$sft_processes" data_dir="$out/data" output_dir="$out/sft" seed="$seed"
# two attempts in training press harder on the first; the evaluation allows three
stage "RL (GRPO) on verl, Ray and vLLM" "$out/rl/model" \
    bash recipe/code_agentic/run_ppo.sh scale=cpu model=tiny model.profile.path="$out/sft/model" \
    data_dir="$out/data" output_dir="$out/rl" seed="$seed" code_agentic.episode.max_turns=3
stage "evaluation of base, SFT and RL on held-out problems" "$out/evaluation/evaluation.json" \
    "$python" -m recipe.code_agentic.evaluate scale=cpu model=tiny data_dir="$out/data" \
    "models=[{name: base, path: $out/base}, {name: sft, path: $out/sft/model}, {name: rl, path: $out/rl/model}]" \
    "report.metrics=[{label: SFT, path: $out/sft/metrics}, {label: RL, path: $out/rl/metrics}]" \
    max_problems=100 num_samples=1 output_dir="$out/evaluation" seed="$seed"
stage_number=5
echo "[6/6] results after $(($(date +%s) - started)) s"
"$python" -m recipe.code_agentic.report --summary "$out/evaluation/evaluation.json"
cat <<TEXT

report   $out/evaluation/report.html (open it in a browser)
again    bash scripts/quickstart.sh outputs/second 1        another seed
own data python data_preprocess/preprocess.py data=user input=FILE     docs/data.md
GPU      bash recipe/code_agentic/run_sft.sh scale=node8 model=qwen2_5_32b data_dir=...     docs/training.md
TEXT
