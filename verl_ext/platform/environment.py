"""The environment variables of a run without a GPU.

Owns their names, values and reasons. The launcher sets them before Python starts (torch and Ray read
several of them while they are imported); the plugin reads only `PLATFORM_VARIABLE`.
"""

PLATFORM_VARIABLE = "VERL_PLATFORM"
CPU_PLATFORM = "cpu"


def cpu_environment(num_threads: int = 1) -> dict[str, str]:
    """The variables that a run on the CPU needs.

    Args:
        num_threads: OpenMP threads of each training process, 1 or more. On a small model one thread
            is faster than two: driver, worker and vLLM already share the cores.

    Raises:
        ValueError: `num_threads` is below 1.
    """
    if num_threads < 1:
        raise ValueError(f"num_threads must be 1 or more, got {num_threads}")
    return {
        # Chooses our platform; without it the plugin does nothing.
        PLATFORM_VARIABLE: CPU_PLATFORM,
        # verl registers its FSDP engines for cuda and npu only. The engine asks the platform for the
        # device, so the class registered for cuda also trains on the CPU.
        "VERL_ENGINE_DEVICE": "cuda",
        "VERL_ENGINE_VENDOR": "nvidia",
        "OMP_NUM_THREADS": str(num_threads),
        # verl's queue between rollout and trainer asks for 8 threads at every call and warns each time.
        "TQ_NUM_THREADS": str(num_threads),
        "TQ_CLIENT_ZMQ_IO_THREADS": "1",
        # vLLM binds its threads to cores by default, which pins every process of the run to the same
        # core on a small machine.
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        # Lets vLLM run the model inside its engine process (`distributed_executor_backend: uni`), one process
        # fewer; on the CPU vLLM would otherwise turn that into `mp`.
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_LOGGING_LEVEL": "ERROR",
        # Every process says that torchvision is not installed.
        "TRANSFORMERS_VERBOSITY": "error",
        # Every process lists the engines of verl that are not installed.
        "PYTHONWARNINGS": "ignore::UserWarning:verl.workers.engine",
        "VLLM_NO_USAGE_STATS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        # One Ray worker process per logical CPU would start with the driver; a CPU run declares more
        # logical CPUs than there are cores.
        "RAY_prestart_worker_first_driver": "0",
        # Ray gives its workers niceness 15: whatever else runs (the sandbox's programs first) would starve
        # training and sampling.
        "RAY_worker_niceness": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
