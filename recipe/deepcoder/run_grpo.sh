#!/usr/bin/env bash
# DeepCoder on verl (GRPO+): run_grpo.sh [--dry-run] [key=value ...]; see configs/ppo.yaml, configs/task/deepcoder.yaml.
# Run the same command again to resume. Without a GPU it runs scale=cpu model=tiny_deepcoder.
source "$(dirname "$0")/../../scripts/launch.sh"
launch recipe.code_agentic.main_ppo tiny_deepcoder task=deepcoder "$@"
