"""Call problems on strings and on dicts that count or group, easy to hard."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.template import Params, ProblemTemplate

_easy = partial(ProblemTemplate, difficulty="easy")
_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")

_WORDS = ("sun", "moon", "star", "sky", "Sun", "a", "to", "tree", "Sky", "an")


def _text(rng: Random, params: Params) -> list[str]:
    return [" ".join(rng.choices(_WORDS, k=rng.randint(2, 7)))]


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="call_caesar",
        family="strings",
        wordings=(
            "Write shift_text(text) that returns the string text with every letter a to z moved $k places "
            "on in the alphabet, after z again a. Capital letters stay capital, other characters do not "
            "change.",
        ),
        reference="""\
def shift_text(text):
    result = ''
    for c in text:
        if c.isalpha():
            base = ord('a') if c.islower() else ord('A')
            c = chr((ord(c) - base + $k) % 26 + base)
        result += c
    return result
""",
        make_input=lambda rng, params: ["".join(rng.choices("abcmxyzABXYZ ,!7", k=rng.randint(1, 9)))],
        examples=((["abz"], "dec"), ([""], ""), (["Xa 1!"], "Ad 1!")),
        params={"k": (3, 1, 5, 7, 13, 20)},
        fn_name="shift_text",
        edge_inputs=([""], ["xyzXYZ"]),
    ),
    _medium(
        name="call_run_length_encode",
        family="strings",
        wordings=(
            "Write encode(text) that replaces every run of equal letters in the string text by the letter "
            "and the length of the run, but leaves out the length where it is less than $least.",
        ),
        reference="""\
def encode(text):
    result = ''
    i = 0
    while i < len(text):
        run = 1
        while text[i + run:i + run + 1] == text[i]:
            run += 1
        result += text[i] + (str(run) if run >= $least else '')
        i += run
    return result
""",
        make_input=lambda rng, params: [
            "".join(c * rng.randint(1, 4) for c in rng.choices("abc", k=rng.randint(1, 5)))
        ],
        examples=((["aaab"], "a3b"), ([""], ""), (["abc"], "abc"), (["aabb"], "a2b2")),
        params={"least": (2, 1)},
        fn_name="encode",
        edge_inputs=([""], ["aaaaaaaaaaaa"]),
    ),
    _easy(
        name="call_palindrome",
        family="strings",
        wordings=(
            "Write is_mirror(text) that returns True if the string text reads the same backwards when only "
            "its $what are looked at, upper and lower case being equal, else False.",
        ),
        reference="""\
def is_mirror(text):
    keep = str.isalpha if '$what' == 'letters' else str.isalnum
    kept = [c.lower() for c in text if keep(c)]
    return kept == kept[::-1]
""",
        make_input=lambda rng, params: [
            (lambda half, middle: half + middle + half[::-1].swapcase())(
                "".join(rng.choices("abA, ", k=rng.randint(1, 4))),
                rng.choice(("", "x", "x1", "1", "x9x", "xy")),
            )
        ],
        examples=((["Anna"], True), (["ab"], False), (["a1b a"], True), ([""], True), (["ab2a, a"], False)),
        params={"what": ("letters", "letters and digits")},
        fn_name="is_mirror",
        edge_inputs=([""], ["ab1a"], ["a1ba"]),
    ),
    _medium(
        name="call_title_case",
        family="strings",
        wordings=(
            "Write title(text) that returns the string text (words of letters with one space in between) "
            "with a capital first letter and small other letters in every word, but words of fewer than "
            "$least letters all small, except for the first word.",
        ),
        reference="""\
def title(text):
    words = text.lower().split()
    return ' '.join(w.capitalize() if i == 0 or len(w) >= $least else w for i, w in enumerate(words))
""",
        make_input=_text,
        examples=((["sun to MOON"], "Sun to Moon"), ([""], ""), (["a tree an"], "A Tree an")),
        params={"least": (3, 2, 4)},
        fn_name="title",
        edge_inputs=([""], ["an an"]),
    ),
    _medium(
        name="call_common_start",
        family="strings",
        wordings=(
            "Write common_start(words) that returns the longest string with which all strings of the list "
            "words $side. An empty list gives ''.",
        ),
        reference="""\
def common_start(words):
    back = '$side' == 'end'
    words = [w[::-1] if back else w for w in words]
    shared = ''
    for letters in zip(*words):
        if len(set(letters)) > 1:
            break
        shared += letters[0]
    return shared[::-1] if back else shared
""",
        make_input=lambda rng, params: [
            (
                lambda core: [
                    core + "".join(rng.choices("ab", k=rng.randint(0, 3))) + core
                    for _ in range(rng.randint(2, 3))
                ]
            )("".join(rng.choices("abc", k=rng.randint(0, 3))))
        ],
        examples=(([["abc", "abd"]], "ab"), ([[]], ""), ([["x", "y"]], ""), ([["same"]], "same")),
        params={"side": ("begin", "end")},
        fn_name="common_start",
        edge_inputs=([[]], [["ab", ""]]),
    ),
    _hard(
        name="call_justify",
        family="strings",
        wordings=(
            "Write wrap(words) that puts the strings of the list words (each at most $width long) into "
            "lines: as many words as fit into $width characters with one space in between, in order. Return "
            "the list of lines, each filled with '$fill' $side to exactly $width characters.",
        ),
        reference="""\
def wrap(words):
    lines = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= $width:
            lines[-1] += ' ' + word
        else:
            lines.append(word)
    at_end = '$side' == 'at the end'
    return [line.ljust($width, '$fill') if at_end else line.rjust($width, '$fill') for line in lines]
""",
        make_input=lambda rng, params: [
            ["".join(rng.choices("abc", k=rng.randint(1, 6))) for _ in range(rng.randint(1, 6))]
        ],
        examples=(
            ([["ab", "cde", "fghij"]], ["ab cde..", "fghij..."]),
            ([[]], []),
            ([["a", "b", "c", "d", "e"]], ["a b c d.", "e......."]),
        ),
        params={"width": (8, 7, 10), "fill": (".", "-"), "side": ("at the end", "at the beginning")},
        fn_name="wrap",
        edge_inputs=([[]], [["abcdef"]]),
    ),
    _easy(
        name="call_word_counts",
        family="dict_count",
        wordings=(
            "Write word_counts(text) that returns a dict from each word of the string text, in lower case, "
            "to how often it appears. Words are separated by spaces; words of fewer than $least letters are "
            "left out.",
        ),
        reference="""\
def word_counts(text):
    counts = {}
    for word in text.lower().split():
        if len(word) >= $least:
            counts[word] = counts.get(word, 0) + 1
    return counts
""",
        make_input=_text,
        examples=((["Sun a sun"], {"sun": 2}), ([""], {}), (["to tree to"], {"to": 2, "tree": 1})),
        params={"least": (2, 3, 1, 4)},
        fn_name="word_counts",
        edge_inputs=([""], ["a an sky tree"]),
    ),
    _medium(
        name="call_group_words",
        family="dict_count",
        wordings=(
            "Write group_words(words) that returns a dict from $key (as a string) to the sorted list of the "
            "different strings of the list words that have it. No word is empty.",
        ),
        reference="""\
def group_words(words):
    groups = {}
    for word in sorted(set(words)):
        key = {
            'the first letter': word[0],
            'the last letter': word[-1],
            'the number of letters': str(len(word)),
        }['$key']
        groups.setdefault(key, []).append(word)
    return groups
""",
        make_input=lambda rng, params: [
            ["".join(rng.choices("abc", k=rng.randint(1, 3))) for _ in range(rng.randint(1, 6))]
        ],
        examples=(
            ([["ba", "ab", "aa", "ab"]], {"a": ["aa", "ab"], "b": ["ba"]}),
            ([[]], {}),
            ([["c"]], {"c": ["c"]}),
        ),
        params={"key": ("the first letter", "the last letter", "the number of letters")},
        fn_name="group_words",
        edge_inputs=([[]], [["a", "ab", "b"]]),
    ),
    _medium(
        name="call_most_common",
        family="dict_count",
        wordings=(
            "Write top(items) that returns the (at most) $k most frequent strings of the list items, most "
            "frequent first; equally frequent ones in $order order.",
        ),
        reference="""\
def top(items):
    different = sorted(set(items), reverse='$order' == 'reverse alphabetical')
    return sorted(different, key=lambda item: -items.count(item))[:$k]
""",
        make_input=lambda rng, params: [rng.choices(["a", "b", "c", "d", "e"], k=rng.randint(3, 9))],
        examples=(([["b", "a", "b", "c"]], ["b", "a"]), ([[]], []), ([["x"]], ["x"])),
        params={"k": (2, 1, 3), "order": ("alphabetical", "reverse alphabetical")},
        fn_name="top",
        edge_inputs=([[]], [["d", "c", "b", "a"]]),
    ),
    _medium(
        name="call_invert_dict",
        family="dict_count",
        wordings=(
            "Write invert(d) for a dict from strings to strings: return the dict from each value to the "
            "$which key (in alphabetical order) that has it.",
        ),
        reference="""\
def invert(d):
    inverted = {}
    for key in sorted(d, reverse='$which' == 'first'):
        inverted[d[key]] = key
    return inverted
""",
        make_input=lambda rng, params: [
            {key: rng.choice("xyz") for key in rng.sample("abcdefg", rng.randint(2, 5))}
        ],
        examples=(
            ([{"b": "x", "a": "x"}], {"x": "a"}),
            ([{}], {}),
            ([{"a": "y", "c": "z"}], {"z": "c", "y": "a"}),
        ),
        params={"which": ("first", "last")},
        fn_name="invert",
        edge_inputs=([{}], [{"a": "x", "b": "x"}]),
    ),
    _medium(
        name="call_merge_dicts",
        family="dict_count",
        wordings=(
            "Write combine(a, b) for two dicts from strings to ints: return a dict with the keys of both, "
            "where a key that is in both gets the $how of its two values. Keys whose value is 0 are left "
            "out.",
        ),
        reference="""\
def combine(a, b):
    choose = {'sum': lambda x, y: x + y, 'larger': max, 'smaller': min}['$how']
    both = {**a, **b}
    for key in a:
        if key in b:
            both[key] = choose(a[key], b[key])
    return {key: value for key, value in both.items() if value != 0}
""",
        make_input=lambda rng, params: [
            {key: rng.randint(-3, 5) for key in rng.sample("abcd", rng.randint(1, 3))} for _ in range(2)
        ],
        examples=(
            ([{"a": 1}, {"a": 2, "b": 3}], {"a": 3, "b": 3}),
            ([{}, {}], {}),
            ([{"a": 1}, {"a": -1}], {}),
        ),
        params={"how": ("sum", "larger", "smaller")},
        fn_name="combine",
        edge_inputs=([{}, {}], [{"a": 0}, {"b": 2}]),
    ),
)
