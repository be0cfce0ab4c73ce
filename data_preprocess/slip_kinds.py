"""Names of the slips whose finders need libcst or cosmic-ray: known without importing either."""

from __future__ import annotations

VALUE_KINDS = (
    "slice_bound", "loop_bound", "initial_value", "argument_order", "missing_conversion", "shared_list",
    "shadowed_name",
)  # fmt: skip
STATEMENT_KINDS = (
    "wrong_branch", "missing_guard", "missing_update", "wrong_update", "wrong_level", "statement_order",
    "mutable_default",
)  # fmt: skip
COSMIC_RAY_KINDS = (
    "binary_operator", "comparison_operator", "unary_operator", "boolean_operator", "boolean_value",
    "break_continue", "number", "missing_decorator", "zero_iterations",
)  # fmt: skip
