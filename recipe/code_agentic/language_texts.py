"""Wording of the hints that only JavaScript and C++ programs get; the others' is in ``feedback.py``."""

from __future__ import annotations

# kind -> (full, brief), as in feedback.py
LANGUAGE_HINTS: dict[str, tuple[str, str]] = {
    "invalid": ("Line {line} is not valid {language}: {source}", "syntax line {line}"),
    "unclosed": (
        "Something that was opened is never closed: count the brackets and braces up to line {line}.",
        "brackets",
    ),
    "semicolon": ("A semicolon is missing on line {line} or at the end of the line above.", "semicolon"),
    "undeclared": ("{name} is used on line {line} and declared nowhere.", "declare {name}"),
    "declared_twice": ("{name} is declared twice: leave out the second declaration.", "{name} twice"),
    "undefined_value": (
        "A value on line {line} is undefined or null: a function without return, a property that is not "
        "there, or an index beyond the end.",
        "value is undefined",
    ),
    "no_method": (
        "{name} on line {line} is no function: check its spelling and the object's type.",
        "no {name}",
    ),
    "constant": ("Line {line} assigns to a constant: declare it with let.", "use let"),
    "bad_length": ("Line {line} makes an array with an impossible length.", "array length"),
    "thrown": ("The program threw {message}: see what leads there.", "thrown"),
    "no_member": (
        "The type on line {line} has no member {name}: check its spelling and the type.",
        "no {name}",
    ),
    "cpp_call": (
        "The arguments of the call on line {line} fit no function of that name: compare their number and "
        "types.",
        "arguments line {line}",
    ),
    "cpp_conversion": ("The types on line {line} do not fit: {message}", "types line {line}"),
    "cpp_signature": (
        "The function can't be called as it has to be: keep to the given signature ({message}).",
        "signature",
    ),
    "cpp_error": ("The compiler stops at line {line}: {message}", "line {line}"),
    "cpp_undefined": ("{name} is declared and never defined.", "define {name}"),
    "cpp_index": (
        "An index or position is beyond the end of a vector or string: check the range, and the empty case.",
        "index range",
    ),
    "cpp_parse": ("A text is turned into a number that is none: check it before the conversion.", "parsing"),
    "cpp_crash": (
        "The program crashed: an index beyond the end, a pointer to nothing, a function that ends without "
        "return, or a recursion without end.",
        "crash",
    ),
    "cpp_division": ("A whole number is divided by zero: treat a zero divisor first.", "zero divisor"),
    "cpp_exception": ("The exception {category} is never caught: {message}", "{category}"),
}
