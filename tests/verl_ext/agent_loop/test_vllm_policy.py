"""Policies over a served model, against a small server that answers as vLLM does."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from aiohttp import web

from verl_ext.agent_loop.vllm_policy import CompletionServer, ModelUnavailable, Sampling

SAMPLING = Sampling(temperature=1.0, top_p=0.9, top_k=-1, seed=100)


@pytest.fixture
async def start_server():
    """Starts servers whose completions come from a function of the request; gives their URL."""
    runners = []

    async def start(answer: Callable[[dict], web.Response | dict]) -> str:
        async def models(_: web.Request) -> web.Response:
            return web.json_response({"data": [{"id": "debugger"}]})

        async def completions(request: web.Request) -> web.Response:
            found = answer(await request.json())
            return found if isinstance(found, web.Response) else web.json_response(found)

        app = web.Application()
        app.add_routes([web.get("/v1/models", models), web.post("/v1/completions", completions)])
        runner = web.AppRunner(app)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


def server(url: str, model: str = "debugger", **options) -> CompletionServer:
    defaults = {"stop_token_id": 9, "request_timeout_s": 5, "max_retries": 2, "retry_wait_s": 0.01}
    return CompletionServer(url, model, **{**defaults, **options})


def reply(ids, logprobs=None):
    return {"choices": [{"text": "", "token_ids": ids, "logprobs": {"token_logprobs": logprobs}}]}


async def test_token_ids_go_in_and_come_out(start_server):
    seen = []

    def answer(body):
        seen.append(body)
        return reply([4, 5, 9], [-0.1, -0.2, -0.3])

    async with server(await start_server(answer)) as model:
        generation = await model.policy(SAMPLING).generate([1, 2, 3], max_tokens=7)
    assert (generation.token_ids, generation.logprobs) == ([4, 5, 9], [-0.1, -0.2, -0.3])
    expected = {"prompt": [1, 2, 3], "max_tokens": 7, "temperature": 1.0, "top_p": 0.9, "stop_token_ids": [9]}
    assert expected.items() <= seen[0].items()
    assert seen[0]["return_token_ids"]


async def test_every_turn_of_an_episode_has_a_seed_of_its_own_and_episodes_repeat(start_server):
    seeds = []

    def answer(body):
        seeds.append(body["seed"])
        return reply([9])

    async with server(await start_server(answer)) as model:
        for _ in range(2):
            policy = model.policy(SAMPLING)
            await policy.generate([1], max_tokens=1)
            await policy.generate([1], max_tokens=1)
    assert seeds == [100, 101, 100, 101]


async def test_a_url_may_end_in_v1(start_server):
    url = await start_server(lambda body: reply([9]))
    async with server(url + "/v1/") as model:
        assert (await model.policy(SAMPLING).generate([1], max_tokens=1)).token_ids == [9]


async def test_a_passing_failure_is_retried(start_server):
    answers = [web.Response(status=503), reply([9])]
    async with server(await start_server(lambda body: answers.pop(0))) as model:
        assert (await model.policy(SAMPLING).generate([1], max_tokens=1)).token_ids == [9]


@pytest.mark.parametrize(
    ("answer", "trials", "message"),
    [
        (lambda: web.Response(status=500, text="boom"), 3, "HTTP 500: boom"),
        (lambda: web.Response(status=400, text="prompt too long"), 1, "HTTP 400: prompt too long"),
        (lambda: {"choices": []}, 1, "without choices"),
        (lambda: reply(None), 1, "has no token_ids"),
        (lambda: web.Response(text="<html>"), 3, "v1/completions"),
    ],
)
async def test_a_server_that_fails_is_named_after_bounded_trials(start_server, answer, trials, message):
    calls = []

    def count(body):
        calls.append(body)
        return answer()

    async with server(await start_server(count)) as model:
        with pytest.raises(ModelUnavailable, match=message):
            await model.policy(SAMPLING).generate([1], max_tokens=1)
    assert len(calls) == trials


async def test_a_server_that_is_not_there_is_named():
    with pytest.raises(ModelUnavailable, match=r"http://127\.0\.0\.1:9/v1/models"):
        async with server("http://127.0.0.1:9", max_retries=0):
            pass


async def test_a_model_that_is_not_served_is_named_with_those_that_are(start_server):
    url = await start_server(lambda body: reply([9]))
    with pytest.raises(ModelUnavailable, match="does not serve 'other'; it serves debugger"):
        async with server(url, "other"):
            pass


def test_importing_the_module_imports_neither_vllm_nor_torch():
    code = "import sys, verl_ext.agent_loop.vllm_policy; print({'vllm', 'torch', 'verl'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "set()"
