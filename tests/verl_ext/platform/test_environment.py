"""The environment of a run on the CPU."""

import pytest

from verl_ext.platform.environment import cpu_environment


def test_it_chooses_the_cpu_platform_and_the_fsdp_engine() -> None:
    environment = cpu_environment()

    assert environment["VERL_PLATFORM"] == "cpu"
    assert (environment["VERL_ENGINE_DEVICE"], environment["VERL_ENGINE_VENDOR"]) == ("cuda", "nvidia")


def test_every_value_is_text_as_processes_need_it() -> None:
    assert all(isinstance(value, str) and value for value in cpu_environment().values())


def test_the_number_of_threads_is_the_callers() -> None:
    assert cpu_environment(num_threads=3)["OMP_NUM_THREADS"] == "3"


def test_fewer_than_one_thread_is_refused() -> None:
    with pytest.raises(ValueError, match="num_threads must be 1 or more, got 0"):
        cpu_environment(num_threads=0)
