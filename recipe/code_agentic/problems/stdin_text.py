"""Longer stdin problems about words: codes, brackets, counting and grouping."""

from __future__ import annotations

from functools import partial
from random import Random

from recipe.code_agentic.problems.input_draws import counted, letters, spaced
from recipe.code_agentic.problems.short_form import JOINERS, WORDS
from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate

_medium = partial(ProblemTemplate, difficulty="medium")
_hard = partial(ProblemTemplate, difficulty="hard")


def _runs(rng: Random, params: Params) -> str:
    return "".join(rng.choice("abcd") * rng.randint(1, 5) for _ in range(rng.randint(2, 6)))


def _coded_runs(rng: Random, params: Params) -> str:
    return "".join(rng.choice(("", "2", "3", "12")) + rng.choice("abcd") for _ in range(rng.randint(2, 6)))


def _sentence(rng: Random, params: Params) -> str:
    words = [w.title() if rng.random() < 0.3 else w for w in rng.sample(WORDS, rng.randint(1, 4))]
    return " ".join(words) + rng.choice(("", "!", "?", " 42"))


def _brackets(rng: Random, params: Params) -> str:
    """Balanced text, which every second time is spoilt at one place."""
    pairs = str(params["pairs"])
    text = ""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(0, len(pairs), 2)
        text = rng.choice((f"{pairs[at]}{text}{pairs[at + 1]}", f"{text}{pairs[at : at + 2]}"))
        # Other brackets are plain characters where they are not of the kinds in question.
        text = rng.choice((text, f"x{text}", *(f"{c}{text}" for c in "{]>" if c not in pairs)))
    if rng.random() < 0.6:
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(pairs) * rng.randint(0, 1) + text[at + 1 :]
    return text or pairs[:1]


def _repeated_words(rng: Random, params: Params) -> str:
    return spaced(rng.choices(rng.sample(WORDS, 6), k=rng.randint(6, 14)))


def _anagrams(rng: Random, params: Params) -> str:
    bases = [letters(rng, "abest", 3, 4) for _ in range(3)]
    return spaced(["".join(rng.sample(base, len(base))) for base in rng.choices(bases, k=rng.randint(3, 9))])


def _names_to_join(rng: Random, params: Params) -> str:
    names = [str(params["s"]).join(rng.sample(WORDS, rng.randint(1, 4))) for _ in range(rng.randint(1, 4))]
    return counted(names)


def _nested(rng: Random, depth: int) -> str:
    """Letters and balanced brackets, nested at most ``depth`` deep."""
    parts = [letters(rng, "abcdef", 0, 2)]
    while depth and rng.random() < 0.8:
        parts.append(f"({_nested(rng, depth - 1)})")
        parts.append(letters(rng, "abcdef", 0, 1))
        depth -= 1
    return "".join(parts) or "a"


TEMPLATES: tuple[ProblemTemplate, ...] = (
    _medium(
        name="run_length_encode",
        family="text_coding",
        wordings=(
            "Read a word of lowercase letters and print it compressed: every run of at least $k equal "
            "letters becomes $form; shorter runs stay as they are.",
        ),
        reference="""from itertools import groupby
out = ''
for c, group in groupby(input()):
    n = len(list(group))
    out += $form if n >= $k else c * n
print(out)""",
        make_input=_runs,
        examples=[("aaabcc", "a3bc2"), ("abc", "abc"), ("zzzzzzzzzzzz", "z12")],
        params={
            "k": (2, 3, 4),
            "form": (
                Choice("the letter and then its count", "c + str(n)"),
                Choice("the count and then the letter", "str(n) + c"),
                Choice("the letter and then its count in brackets, like a(3)", "f'{c}({n})'"),
            ),
        },
        edge_inputs=["a", "aa"],
    ),
    _medium(
        name="run_length_decode",
        family="text_coding",
        wordings=(
            "Read a compressed word in which a number before a letter says how often the letter stands; a"
            " letter without a number stands once. Print the runs written out, joined by '$s'.",
        ),
        reference="""runs, number = [], ''
for c in input():
    if c.isdigit():
        number += c
    else:
        runs.append(c * int(number or 1))
        number = ''
print('$s'.join(runs))""",
        make_input=_coded_runs,
        examples=[("3ab", "aaa-b"), ("2c12d", "cc-dddddddddddd")],
        params={"s": JOINERS},
        edge_inputs=["a"],
    ),
    _medium(
        name="caesar",
        family="text_coding",
        wordings=(
            "Read a line and print it with every letter moved $k places on in the alphabet, going on with"
            " a after z. Capitals stay capitals; everything that is not a letter stays as it is.",
        ),
        reference="""out = ''
for c in input():
    if c.isalpha():
        base = 65 if c.isupper() else 97
        c = chr((ord(c) - base + $k) % 26 + base)
    out += c
print(out)""",
        make_input=_sentence,
        examples=[("abc xyz!", "def abc!"), ("Zoo 42", "Crr 42")],
        params={"k": (3, *range(1, 3), *range(4, 26))},
        edge_inputs=["?", "Zz"],
    ),
    _hard(
        name="bracket_check",
        family="bracket_matching",
        wordings=(
            "Read a line with brackets of the kinds $pairs among other characters. Print the position, "
            "counted from $base, of the first closing bracket that doesn't close the last open one. If "
            "there is none, print 'open' when a bracket is still open at the end, else 'ok'.",
        ),
        reference="""pairs = '$pairs'
stack, answer = [], None
for i, c in enumerate(input()):
    if c in pairs[::2]:
        stack.append(pairs[pairs.index(c) + 1])
    elif c in pairs[1::2] and (not stack or stack.pop() != c):
        answer = i + $base
        break
if answer is None:
    answer = 'open' if stack else 'ok'
print(answer)""",
        make_input=_brackets,
        examples=[("(a[b])", "ok"), ("(]", "2"), ("x((", "open")],
        params={"pairs": ("()[]", "()[]{}", "()<>", "[]{}"), "base": (1, 0)},
        edge_inputs=["x"],
    ),
    _hard(
        name="bracket_depth",
        family="bracket_matching",
        wordings=(
            "Read a line with balanced round brackets among letters. Print the letters that stand inside "
            "at least $k open brackets, in order and joined by '$s', or 'none'.",
        ),
        reference="""depth, out = 0, []
for c in input():
    if c == '(':
        depth += 1
    elif c == ')':
        depth -= 1
    elif depth >= $k:
        out.append(c)
print('$s'.join(out) or 'none')""",
        make_input=lambda rng, params: _nested(rng, 4),
        examples=[("a(b(cd)e)f", "c-d"), ("a(b)", "none")],
        params={"k": (2, 1, 3), "s": JOINERS[:5]},
        edge_inputs=["a", "(((a)))"],
    ),
    _medium(
        name="most_frequent_words",
        family="text_counting",
        wordings=(
            "Read a line of words. Print the $k most frequent ones (all, if there are fewer), one per "
            "line as word, '$s' and count, the most frequent first and equally frequent ones from a to z.",
        ),
        reference="""from collections import Counter
counts = Counter(input().split())
for word in sorted(counts, key=lambda w: (-counts[w], w))[:$k]:
    print(f'{word}$s{counts[word]}')""",
        make_input=_repeated_words,
        examples=[("b a b c a b", "b-3\na-2"), ("z y", "y-1\nz-1")],
        params={"k": (2, 1, 3, 4), "s": JOINERS},
        edge_inputs=["a"],
    ),
    _medium(
        name="longest_run",
        family="text_counting",
        wordings=(
            "Read a word. Print the letter of its longest run of equal letters and the length of that "
            "run, with a space. Among equally long runs take the $which one.",
        ),
        reference="""best, run, last = ('', 0), 0, ''
for c in input():
    run = run + 1 if c == last else 1
    last = c
    if run $which best[1]:
        best = (c, run)
print(*best)""",
        make_input=_runs,
        examples=[("aabbbcd", "b 3"), ("ccaab", "c 2"), ("xyz", "x 1")],
        params={"which": (Choice("first", ">"), Choice("last", ">="))},
        edge_inputs=["abc", "aabb"],
    ),
    _medium(
        name="palindromes_inside",
        family="text_counting",
        wordings=(
            "Read a word. Print how many of its substrings of at least $k letters read the same "
            "backwards. Equal substrings at different places count separately.",
        ),
        reference="""s = input()
n = len(s)
print(sum(s[i:j] == s[i:j][::-1] for i in range(n) for j in range(i + $k, n + 1)))""",
        make_input=lambda rng, params: letters(rng, "ab", 4, 9),
        examples=[("abba", "2"), ("aaa", "3"), ("abc", "0")],
        params={"k": (2, 1, 3, 4)},
        edge_inputs=["a", "aaaaaa"],
    ),
    _hard(
        name="anagram_groups",
        family="text_grouping",
        wordings=(
            "Read a line of words. Words made of the same letters form a group. Print every group of at "
            "least $k words on its own line, its words in input order joined by '$s', the groups in the "
            "order of their first words. Print 'none' if there is no such group.",
        ),
        reference="""groups = {}
for word in input().split():
    groups.setdefault(''.join(sorted(word)), []).append(word)
lines = ['$s'.join(g) for g in groups.values() if len(g) >= $k]
print('\\n'.join(lines) or 'none')""",
        make_input=_anagrams,
        examples=[("tea bus eat sub ate x", "tea-eat-ate\nbus-sub"), ("a b", "none"), ("on on", "on-on")],
        params={"k": (2, 3), "s": JOINERS},
        edge_inputs=["a"],
    ),
    _medium(
        name="name_style",
        family="text_grouping",
        wordings=(
            "The first line holds a count, every further line a name whose lowercase words are joined by "
            "'$s'. Print each name on its own line $style, without '$s'.",
        ),
        reference="""for _ in range(int(input())):
    parts = input().split('$s')
    print($style)""",
        make_input=_names_to_join,
        examples=[("2\nred-cat\nsun", "redCat\nsun"), ("1\na-b-c", "aBC")],
        params={
            "style": (
                Choice(
                    "with a capital at the start of every word but the first",
                    "parts[0] + ''.join(p.title() for p in parts[1:])",
                ),
                Choice("with a capital at the start of every word", "''.join(p.title() for p in parts)"),
                Choice(
                    "as the first letters of its words, in capitals", "''.join(p[0].upper() for p in parts)"
                ),
            ),
            "s": ("-", "_", ".", "/", ":"),
        },
    ),
)
