#!/usr/bin/env bash
# Supervised fine-tuning: run_sft.sh [--dry-run] [key=value ...]; see configs/sft.yaml.
# Run the same command again to resume. Without a GPU it runs scale=cpu model=tiny.
source "$(dirname "$0")/../../scripts/launch.sh"
launch recipe.code_agentic.main_sft tiny "$@"
