#!/usr/bin/env bash
# RL on verl (GRPO; algorithm=ppo for a critic): run_ppo.sh [--dry-run] [key=value ...]; see configs/ppo.yaml.
# Run the same command again to resume. Without a GPU it runs scale=cpu model=tiny.
source "$(dirname "$0")/../../scripts/launch.sh"
launch recipe.code_agentic.main_ppo tiny "$@"
