"""Does DeepCoder's reward teach the tiny model? Data, a warm start, GRPO+ on TRL and on verl, several seeds.

    python benchmarks/deepcoder_learning.py --output outputs/deepcoder_learning --seeds 0 1 2

Prints the table of docs/RESULTS.md. Run it again after an interruption: what is done is not done again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from learning import cell, difference

from verl_ext.cli import HelpFormatter

MODELS = ("sft", "trl", "verl")
ROWS = (
    ("held-out parameters, sampled", "sampled", "test"),
    ("held-out families, sampled", "sampled", "held_out_families"),
    ("both, sampled", "sampled", "all"),
    ("held-out parameters, greedy", "greedy", "test"),
    ("held-out families, greedy", "greedy", "held_out_families"),
    ("both, greedy", "greedy", "all"),
)
PYTHON = sys.executable


def stages(folder: Path, seed: int) -> dict[Path, list[str]]:
    """What is there when a stage is done -> its command."""
    data, base, sft, trl, verl = (folder / name for name in ("data", "base", "sft", "trl", "verl"))
    train, test = data / "rl_train.parquet", data / "rl_test.parquet"
    tiny = ["scale=cpu", "model=tiny_deepcoder", f"data_dir={data}", f"seed={seed}"]
    return {
        data / "manifest.json": [
            *(PYTHON, "data_preprocess/preprocess.py", "data=deepcoder_tiny"),
            *(f"output_dir={data}", f"seed={seed}"),
        ],
        base / "config.json": [
            *(PYTHON, "-m", "recipe.code_agentic.tiny_model", f"conversations={data}/sft_train.parquet"),
            *(f"output_dir={base}", f"seed={seed}"),
        ],
        sft / "model": [
            *("bash", "recipe/code_agentic/run_sft.sh", *tiny, f"model.profile.path={base}"),
            f"output_dir={sft}",
        ],
        trl / "model": [
            *(PYTHON, "-m", "recipe.deepcoder.minimal_grpo_trl", "--model", f"{sft}/model"),
            *("--train", str(train), "--test", str(test), "--output-dir", str(trl), "--seed", str(seed)),
            *("--steps", "96", "--lr", "5e-4", "--max-completion-length", "96"),
        ],
        verl / "model": [
            *("bash", "recipe/deepcoder/run_grpo.sh", *tiny, f"model.profile.path={sft}/model"),
            f"output_dir={verl}",
        ],
        folder / "rates.json": [
            *(PYTHON, "-m", "recipe.deepcoder.solve_rate", "--tasks", str(test), "--seed", str(seed)),
            *("--output", str(folder / "rates.json"), *(f"{name}={folder / name}/model" for name in MODELS)),
        ],
    }


def main() -> None:
    """Runs what is missing and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder of all the runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one run of everything each")
    parser.add_argument("--wrapper", default="", help="put before every command, such as 'nice -n 10'")
    options = parser.parse_args()
    for seed in options.seeds:
        folder = options.output / str(seed)
        folder.mkdir(parents=True, exist_ok=True)
        for done, command in stages(folder, seed).items():
            if done.exists():
                continue
            print(f"seed {seed}: {' '.join(command)}", flush=True)
            with (folder / "log.txt").open("ab") as log:
                subprocess.run([*options.wrapper.split(), *command], check=True, stdout=log, stderr=log)
    measured = [json.loads((options.output / str(seed) / "rates.json").read_text()) for seed in options.seeds]
    print(f"| solved, %, mean of {len(measured)} seeds | {' | '.join(MODELS)} | trl - sft | verl - sft |")
    print(f"|---|{'---|' * (len(MODELS) + 2)}")
    for title, decoding, split in ROWS:
        rates = {name: [100 * one[name][decoding][split] for one in measured] for name in MODELS}
        gains = [
            [difference(after, before) for after, before in zip(rates[name], rates["sft"], strict=True)]
            for name in MODELS[1:]
        ]
        print(f"| {title} | {' | '.join(map(cell, [*rates.values(), *gains]))} |")


if __name__ == "__main__":
    main()
