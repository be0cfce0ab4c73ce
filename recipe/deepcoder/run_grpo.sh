#!/usr/bin/env bash
# DeepCoder on verl (GRPO+): run_grpo.sh [--dry-run] [key=value ...]; see configs/ppo.yaml and configs/task/deepcoder.yaml.
# Run the same command again to resume. Without a GPU it runs scale=cpu model=tiny.
source "$(dirname "$0")/../code_agentic/launch.sh"
launch recipe.code_agentic.main_ppo task=deepcoder "$@"
