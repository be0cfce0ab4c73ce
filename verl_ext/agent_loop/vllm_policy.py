"""Models served by vLLM as policies: an engine in this process, or an OpenAI-compatible server by URL.

Both are opened with ``async with`` and hand out one ``Policy`` per episode, bound to its sampling settings
and seed. Token ids go in and come out, so what is graded is what was sampled. Importing this module imports
neither vLLM nor torch. Training does not come through here: verl serves its own rollouts (``verl_loop``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import uuid4

import aiohttp

from verl_ext.agent_loop.policy import Generation, Policy
from verl_ext.platform.environment import cpu_environment


class ModelUnavailable(OSError):
    """The engine or server can't be started or no longer answers; never about what the model said."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How one episode is sampled.

    Attributes:
        temperature: 0 for greedy decoding, else above 0.
        top_p: Above 0, at most 1; 1 keeps every token.
        top_k: Number of tokens kept; -1 keeps all.
        seed: Every turn draws from a generator of its own, seeded with ``seed`` plus the turn's index.
    """

    temperature: float
    top_p: float
    top_k: int
    seed: int


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What vLLM's engine needs to know.

    Attributes:
        dtype: ``float32``, ``bfloat16`` or ``auto``.
        max_model_tokens: Prompt and response together.
        max_num_seqs: Episodes that are decoded in one batch.
        tensor_parallel_size: GPUs one copy of the model is spread over; 1 on a CPU.
        gpu_memory_utilization: Share of a GPU's memory, 0 to 1; without effect on a CPU.
        cpu_kv_cache_gib: Memory for the key-value cache on a CPU; without effect on a GPU.
        cpu_threads: OpenMP threads of the model on a CPU.
        enforce_eager: Skips graph capture and compilation: a quick start, slower decoding on a GPU. None
            means on a CPU only.
    """

    dtype: str
    max_model_tokens: int
    max_num_seqs: int
    tensor_parallel_size: int
    gpu_memory_utilization: float
    cpu_kv_cache_gib: int
    cpu_threads: int
    enforce_eager: bool | None


class ServedModel(Protocol):
    """An open model that hands out policies."""

    def policy(self, sampling: Sampling) -> Policy:
        """A policy for one episode."""
        ...


class VllmEngine:
    """A model directory in vLLM's asynchronous engine, which runs in a child process of this one.

    Args:
        path: Hugging Face model folder or hub name.
        settings: See ``EngineSettings``.
        stop_token_id: Token that ends a turn.
        seed: The engine's own seed.
    """

    def __init__(self, path: str, settings: EngineSettings, *, stop_token_id: int, seed: int) -> None:
        self._path = path
        self._settings = settings
        self._stop_token_id = stop_token_id
        self._seed = seed
        self._engine: Any = None

    async def __aenter__(self) -> Self:
        """Starts the engine.

        Raises:
            ModelUnavailable: When vLLM can't load the model; its own log says more.
        """
        settings = self._settings
        # vLLM reads these when it is imported and hands them on to its child process.
        for name, value in _engine_environment(settings).items():
            os.environ.setdefault(name, value)
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.platforms import current_platform
        from vllm.v1.engine.async_llm import AsyncLLM

        arguments = AsyncEngineArgs(
            model=self._path,
            skip_tokenizer_init=True,
            dtype=settings.dtype,  # type: ignore[arg-type]
            seed=self._seed,
            max_model_len=settings.max_model_tokens,
            max_num_seqs=settings.max_num_seqs,
            # After a chunked prefill vLLM rewinds a seeded request's generator, which torch can't do on a CPU
            # ("CPU Generator does not use offset"): make room for every prompt at once.
            max_num_batched_tokens=settings.max_num_seqs * settings.max_model_tokens
            if current_platform.is_cpu()
            else None,
            tensor_parallel_size=settings.tensor_parallel_size,
            gpu_memory_utilization=settings.gpu_memory_utilization,
            enforce_eager=current_platform.is_cpu()
            if settings.enforce_eager is None
            else settings.enforce_eager,
            enable_prefix_caching=True,
            disable_log_stats=True,
            enable_log_requests=False,
            # Sampling comes from this project's configuration, not from the model directory.
            generation_config="vllm",
        )
        try:
            self._engine = AsyncLLM.from_engine_args(arguments)
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelUnavailable(
                f"vLLM could not load {self._path}: {_one_line(error)} (its log is above)"
            ) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            # In this thread on purpose: the engine's reader task must not wake up between the death of the
            # child process and its own cancellation, or it reports a crash.
            engine.shutdown()

    def policy(self, sampling: Sampling) -> Policy:
        """A policy for one episode."""
        return _TurnPolicy(self, sampling)

    async def complete(
        self, prompt_ids: Sequence[int], max_tokens: int, sampling: Sampling, seed: int
    ) -> Generation:
        """Samples at most ``max_tokens`` tokens after ``prompt_ids``.

        Raises:
            ModelUnavailable: When the engine died.
        """
        from vllm import SamplingParams
        from vllm.inputs import TokensPrompt
        from vllm.sampling_params import RequestOutputKind
        from vllm.v1.engine.exceptions import EngineDeadError

        params = SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            seed=seed,
            max_tokens=max_tokens,
            stop_token_ids=[self._stop_token_id],
            logprobs=0,  # the sampled token's own and no others
            detokenize=False,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        final: Any = None
        try:
            async for output in self._engine.generate(
                TokensPrompt(prompt_token_ids=list(prompt_ids)), params, uuid4().hex
            ):
                final = output
        except EngineDeadError as error:
            raise ModelUnavailable(f"vLLM's engine for {self._path} died; its log is above") from error
        choice = final.outputs[0]
        ids = list(choice.token_ids)
        logprobs = [at[token].logprob for token, at in zip(ids, choice.logprobs, strict=True)]
        return Generation(ids, logprobs)


class CompletionServer:
    """A model behind ``POST /v1/completions`` of a server that speaks token ids (vLLM 0.10.2 and later).

    Args:
        url: Base URL, with or without a trailing ``/v1``.
        model: The name the server serves it under.
        stop_token_id: Token that ends a turn.
        request_timeout_s: Seconds one turn may take.
        max_retries: Further tries after a broken connection, a deadline or a 5xx reply.
        retry_wait_s: Seconds before the first further try; doubled for each one after it.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        stop_token_id: int,
        request_timeout_s: float,
        max_retries: int,
        retry_wait_s: float = 1.0,
    ) -> None:
        self._base = url.rstrip("/").removesuffix("/v1")
        self._model = model
        self._stop_token_id = stop_token_id
        self._timeout = aiohttp.ClientTimeout(total=request_timeout_s)
        self._max_retries = max_retries
        self._retry_wait_s = retry_wait_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Connects.

        Raises:
            ModelUnavailable: When nothing answers there or the server does not serve ``model``.
        """
        self._session = aiohttp.ClientSession(timeout=self._timeout, connector=aiohttp.TCPConnector(limit=0))
        try:
            reply = await self._request("GET", "/v1/models", None)
            names = [entry["id"] for entry in reply["data"]]
        except (ModelUnavailable, KeyError, TypeError) as error:
            await self._session.close()
            if isinstance(error, ModelUnavailable):
                raise
            raise ModelUnavailable(f"{self._base}/v1/models: not a list of models") from error
        if self._model not in names:
            await self._session.close()
            raise ModelUnavailable(
                f"{self._base} does not serve {self._model!r}; it serves {', '.join(names) or 'nothing'}"
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def policy(self, sampling: Sampling) -> Policy:
        """A policy for one episode."""
        return _TurnPolicy(self, sampling)

    async def complete(
        self, prompt_ids: Sequence[int], max_tokens: int, sampling: Sampling, seed: int
    ) -> Generation:
        """Samples at most ``max_tokens`` tokens after ``prompt_ids``.

        Raises:
            ModelUnavailable: When the server does not answer, refuses, or answers without token ids.
        """
        body = {
            "model": self._model,
            "prompt": list(prompt_ids),
            "max_tokens": max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            # Said out loud, because a server may take its defaults from the model's generation_config.json.
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "seed": seed,
            "stop_token_ids": [self._stop_token_id],
            "logprobs": 0,
            "return_token_ids": True,
            "add_special_tokens": False,
            "skip_special_tokens": False,
        }
        reply = await self._request("POST", "/v1/completions", body)
        try:
            choice = reply["choices"][0]
            ids = choice["token_ids"]
        except (KeyError, IndexError, TypeError) as error:
            raise ModelUnavailable(f"{self._base}/v1/completions: a reply without choices") from error
        if ids is None:
            raise ModelUnavailable(
                f"{self._base}/v1/completions: the reply has no token_ids; serve the model with vLLM 0.10.2 "
                "or later, which honours return_token_ids"
            )
        logprobs = (choice.get("logprobs") or {}).get("token_logprobs")
        return Generation(ids, logprobs if logprobs and len(logprobs) == len(ids) else None)

    async def _request(self, method: str, path: str, body: Any) -> Any:
        assert self._session is not None, "open the server with `async with` first"
        failure = ""
        for trial in range(self._max_retries + 1):
            if trial:
                await asyncio.sleep(self._retry_wait_s * 2 ** (trial - 1))
            try:
                async with self._session.request(method, self._base + path, json=body) as response:
                    if response.status == 200:
                        return await response.json(content_type=None)
                    failure = f"HTTP {response.status}: {(await response.text())[:300]}"
                    if response.status < 500 and response.status != 429:
                        break
            except TimeoutError:
                failure = f"no reply within {self._timeout.total:g} s"
            except (aiohttp.ClientError, ValueError) as error:
                failure = _one_line(error)
        raise ModelUnavailable(f"{self._base}{path}: {failure}")


class _TurnPolicy:
    """One episode's policy: gives every turn its own seed, so that turns do not share their randomness."""

    def __init__(self, backend: VllmEngine | CompletionServer, sampling: Sampling) -> None:
        self._backend = backend
        self._sampling = sampling
        self._turn = 0

    async def generate(self, prompt_ids: Sequence[int], *, max_tokens: int) -> Generation:
        """Samples the next turn."""
        seed = self._sampling.seed + self._turn
        self._turn += 1
        return await self._backend.complete(prompt_ids, max_tokens, self._sampling, seed)


def _engine_environment(settings: EngineSettings) -> dict[str, str]:
    """Variables that vLLM reads and that cost nothing on a GPU; what the user has set stays."""
    on_cpu = cpu_environment()
    return {
        **{name: on_cpu[name] for name in ("VLLM_CPU_OMP_THREADS_BIND", "VLLM_NO_USAGE_STATS")},
        "VLLM_LOGGING_LEVEL": "ERROR",  # its warnings would tear the progress bar apart
        "VLLM_CPU_KVCACHE_SPACE": str(settings.cpu_kv_cache_gib),
        "OMP_NUM_THREADS": str(settings.cpu_threads),
        # torch may already have threads here; a fork would inherit their locks.
        "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    }


def _one_line(error: BaseException) -> str:
    """The error's text on one line; what matters often stands in the second line of a validation error."""
    text = "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
    return text[:400] or type(error).__name__
