"""What the values of configs/{ppo,sft,evaluate}.yaml may be, key by key.

Keys that a user sets stand before those that are computed from them, so that a message names what was typed.
How values depend on each other is in ``checks``.
"""

from __future__ import annotations

from recipe.code_agentic.prompts import STYLES
from recipe.code_agentic.reward import FLOOR_RANGE_S, KINDS, MAX_BONUS, SCALE_RANGE
from verl_ext.config_values import FLAG, TEXT, Rule, list_of, number, one_of, one_or_more, or_else, whole
from verl_ext.sandbox.backends import ENDPOINTS, HEDGE_AFTER

COUNT = whole(1)
SHARE = number(low=0, high=1)
POSITIVE = number(above=0)
FILES = Rule("a file or a list of files", one_or_more(TEXT, "files").holds)
_PERIOD = or_else(COUNT, -1, "never")

_SCALE = {
    "scale.device": one_of("cpu", "cuda"),
    "scale.nodes": COUNT,
    "scale.gpus_per_node": COUNT,
    "scale.compute_dtype": one_of("float32", "bfloat16"),
    "scale.max_tokens_per_gpu": COUNT,
    "scale.dataloader_workers": whole(0),
}
_ROLLOUT = {
    "scale.rollout.tensor_parallel": COUNT,
    "scale.rollout.max_num_seqs": COUNT,
    "scale.rollout.gpu_memory_utilization": number(above=0, high=1),
}
_EPISODE = {
    "model.profile.path": TEXT,
    "model.profile.style": one_of(*STYLES),
    "model.profile.tools": TEXT,
    "model.profile.rl.max_turns": COUNT,
    "model.profile.rl.max_prompt_length": COUNT,
    "model.profile.rl.max_response_length": COUNT,
    "code_agentic.episode.tools": TEXT,
    "code_agentic.episode.style": one_of(*STYLES),
    "code_agentic.episode.texts": TEXT,
    "code_agentic.episode.max_turns": COUNT,
    "code_agentic.episode.max_calls_per_turn": COUNT,
    "code_agentic.episode.min_turn_tokens": COUNT,
    "code_agentic.episode.time_reference": FLAG,
    "code_agentic.episode.mask_truncated": FLAG,
}
_SANDBOX = {
    "code_agentic.sandbox.endpoint": or_else(ENDPOINTS, None),
    "code_agentic.sandbox.hedge_after": or_else(HEDGE_AFTER, None),
    "code_agentic.sandbox.num_workers": or_else(COUNT, None),
    "code_agentic.sandbox.max_concurrency": COUNT,
    "code_agentic.sandbox.time_limit_s": POSITIVE,
    "code_agentic.sandbox.memory_limit_mb": COUNT,
    "code_agentic.sandbox.cache_size": whole(0),
    "code_agentic.sandbox.max_void_share": SHARE,
}
_RUN = {"output_dir": TEXT, "data_dir": TEXT, "seed": whole(0)}

PPO = {
    **_RUN,
    **_SCALE,
    **_ROLLOUT,
    "scale.agent_loop_workers": COUNT,
    "scale.storage_units": COUNT,
    "scale.poll_interval_s": POSITIVE,
    "stall_report_min": or_else(POSITIVE, None),
    **_EPISODE,
    "model.profile.rl.lr": POSITIVE,
    "model.profile.rl.lr_scheduler": one_of("constant", "cosine"),
    "model.profile.rl.critic_lr": POSITIVE,
    "model.profile.rl.weight_decay": number(low=0),
    "model.profile.rl.train_batch_size": COUNT,
    "model.profile.rl.group_size": COUNT,
    "model.profile.rl.ppo_mini_batch_size": COUNT,
    "model.profile.rl.total_steps": COUNT,
    "model.profile.rl.save_freq": _PERIOD,
    **_SANDBOX,
    "data.train_batch_size": COUNT,
    "data.max_prompt_length": COUNT,
    "data.max_response_length": COUNT,
    "actor_rollout_ref.actor.ppo_mini_batch_size": COUNT,
    "actor_rollout_ref.actor.optim.lr": POSITIVE,
    "actor_rollout_ref.actor.optim.lr_scheduler_type": one_of("constant", "cosine"),
    "actor_rollout_ref.actor.optim.weight_decay": number(low=0),
    "actor_rollout_ref.rollout.n": COUNT,
    "actor_rollout_ref.rollout.temperature": POSITIVE,
    "trainer.total_epochs": COUNT,
    "trainer.total_training_steps": or_else(COUNT, None),
    "trainer.save_freq": _PERIOD,
    "trainer.test_freq": _PERIOD,
}

SFT = {
    **_RUN,
    **_SCALE,
    "torchrun.node_rank": whole(0),
    "torchrun.endpoint": or_else(TEXT, None),
    "model.profile.path": TEXT,
    "model.profile.style": one_of(*STYLES),
    "model.profile.sft.lr": POSITIVE,
    "model.profile.sft.lr_scheduler": one_of("constant", "cosine"),
    "model.profile.sft.warmup_steps_ratio": SHARE,
    "model.profile.sft.betas": list_of(SHARE, "two numbers from 0 to 1"),
    "model.profile.sft.epochs": COUNT,
    "model.profile.sft.micro_batch_size_per_gpu": COUNT,
    "model.profile.sft.gradient_accumulation_steps": COUNT,
    "model.profile.sft.max_length": COUNT,
    "model.profile.sft.save_freq": _PERIOD,
    "data.train_batch_size": COUNT,
    "data.micro_batch_size_per_gpu": COUNT,
    "data.max_length": COUNT,
    "optim.lr": POSITIVE,
    "optim.lr_scheduler_type": one_of("constant", "cosine"),
    "optim.lr_warmup_steps_ratio": SHARE,
    "optim.weight_decay": number(low=0),
    "optim.clip_grad": POSITIVE,
    "trainer.total_epochs": COUNT,
    "trainer.total_training_steps": or_else(COUNT, None),
    "trainer.save_freq": or_else(_PERIOD, "after_each_epoch"),
    "trainer.test_freq": or_else(_PERIOD, "after_each_epoch"),
}

EVALUATE = {
    **_RUN,
    **_ROLLOUT,
    **_EPISODE,
    **_SANDBOX,
    "splits": or_else(list_of(TEXT, "names"), None),
    "max_problems": or_else(COUNT, None),
    "decoding": list_of(one_of("greedy", "sampled"), "greedy, sampled or both"),
    "num_samples": COUNT,
    "temperature": POSITIVE,
    "top_p": number(above=0, high=1),
    "top_k": or_else(COUNT, -1, "all tokens"),
    "max_prompt_length": COUNT,
    "max_response_length": COUNT,
    "concurrency": COUNT,
    "resume": FLAG,
    "engine.dtype": one_of("auto", "float32", "bfloat16", "float16"),
    "engine.tensor_parallel": COUNT,
    "engine.gpu_memory_utilization": number(above=0, high=1),
    "engine.cpu_kv_cache_gib": COUNT,
    "engine.cpu_threads": COUNT,
    "engine.max_num_seqs": COUNT,
    "engine.enforce_eager": FLAG,
    "server.request_timeout_s": POSITIVE,
    "server.max_retries": whole(0),
    "report.max_episodes": whole(0),
}

REGRADE = {
    "trajectories": TEXT,
    "output": TEXT,
    "rerun": FLAG,
    "data_files": list_of(TEXT, "files"),
    "concurrency": COUNT,
    "resume": FLAG,
    "code_agentic.episode.time_reference": FLAG,
    **_SANDBOX,
}

# Of the project's own reward function; somebody else's has arguments of its own.
WEIGHTS = "reward.custom_reward_function.reward_kwargs"
_BONUS = number(low=0, high=MAX_BONUS)
REWARD = {
    f"{WEIGHTS}.kind": one_of(*KINDS),
    f"{WEIGHTS}.scale": number(low=SCALE_RANGE[0], high=SCALE_RANGE[1]),
    f"{WEIGHTS}.test_case_bonus": _BONUS,
    f"{WEIGHTS}.tool_bonus": _BONUS,
    f"{WEIGHTS}.debug_penalty": _BONUS,
    f"{WEIGHTS}.max_debug_attempts": whole(0),
    f"{WEIGHTS}.quality_bonus": _BONUS,
    f"{WEIGHTS}.efficiency_bonus": _BONUS,
    f"{WEIGHTS}.efficiency_floor_s": number(low=FLOOR_RANGE_S[0], high=FLOOR_RANGE_S[1]),
}
