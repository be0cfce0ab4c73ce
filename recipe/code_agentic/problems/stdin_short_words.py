"""Short problems about one lowercase word."""

from __future__ import annotations

from random import Random

from recipe.code_agentic.problems.short_form import (
    FILLERS,
    JOINERS,
    MARKS,
    UNITS,
    WORDS,
    around_letter,
    short,
    starting,
    word,
)
from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate

_NAMES = ("hello", "hi", "dear", "my", "the", "our", "no", "big", "old", "new")
_LETTERS = tuple("aeiorstn")
_CASES = (Choice("in capitals", "upper"), Choice("with a capital", "title"))
_SIDES = (Choice("left", "rjust"), Choice("right", "ljust"), Choice("both sides", "center"))
_LONGER = word(4, 5)


def _with_or_without_letter(rng: Random, params: Params) -> str:
    return around_letter(rng, params) if rng.random() < 0.5 else rng.choice(WORDS)


def _odd_length(rng: Random, params: Params) -> str:
    """A word that can stand exactly in the middle of an odd width."""
    return rng.choice([w for w in WORDS if len(w) % 2])


def _mixed_case(rng: Random, params: Params) -> str:
    return "".join(rng.choice((letter, letter.upper())) for letter in rng.choice(WORDS))


_ADD = (
    short(
        "word_then_mark", "word_add", "a word", "the word with '$m' at the end", "s+'$m'", word(),
        [("cat", "cat!"), ("moon", "moon!")], params={"m": MARKS}, edges=["a"],
    ),
    short(
        "mark_then_word", "word_add", "a word", "the word with '$m' at the start", "'$m'+s", word(),
        [("cat", "!cat"), ("moon", "!moon")], params={"m": MARKS}, edges=["a"],
    ),
    short(
        "word_between", "word_add", "a word", "the word between two '$m'", "'$m'+s+'$m'", word(),
        [("cat", "!cat!"), ("moon", "!moon!")], params={"m": MARKS}, edges=["a"],
    ),
    short(
        "greeting", "word_add", "a word", "'$name', a space and the word with '$m' at the end",
        "'$name',s+'$m'", word(),
        [("cat", "hello cat!"), ("moon", "hello moon!")], params={"name": _NAMES, "m": MARKS[:6]},
        edges=["a"],
    ),
    short(
        "word_then_mark_vague", "word_add", "a word", "the word with a sign at the end", "s+'$m'", word(),
        [("cat", "cat!"), ("moon", "moon!")], params={"m": MARKS}, vague=True,
    ),
    short(
        "greeting_vague", "word_add", "a word", "a greeting, a space and the word", "'$name',s", word(),
        [("cat", "hello cat"), ("moon", "hello moon")], params={"name": _NAMES}, vague=True,
    ),
    short(
        "greeting_mark_vague", "word_add", "a word", "'$name', a space and the word with a sign at the end",
        "'$name',s+'$m'", word(),
        [("cat", "hello cat!"), ("moon", "hello moon!")], params={"name": _NAMES, "m": MARKS[:6]}, vague=True,
    ),
)  # fmt: skip

_REPEAT = (
    short(
        "word_repeated", "word_repeat", "a word", "the word $k times with '$m' at the end", "s*$k+'$m'",
        word(3, 4),
        [("cat", "catcat!"), ("moon", "moonmoon!")], params={"k": range(2, 6), "m": MARKS}, edges=["a"],
    ),
    short(
        "word_copies_joined", "word_repeat", "a word", "the word $k times joined by '$s'",
        "'$s'.join([s]*$k)",
        word(3, 4), [("cat", "cat-cat"), ("moon", "moon-moon")], params={"k": range(2, 6), "s": JOINERS},
        edges=["a"],
    ),
    short(
        "word_copies_vague", "word_repeat", "a word", "the word $k times, joined", "'$s'.join([s]*$k)",
        word(3, 4), [("cat", "cat-cat"), ("moon", "moon-moon")], params={"k": range(2, 6), "s": JOINERS},
        vague=True,
    ),
)  # fmt: skip

_LETTER = (
    short(
        "letters_joined", "word_letters", "a word", "its letters joined by '$s'", "*s,sep='$s'", word(),
        [("cat", "c-a-t"), ("moon", "m-o-o-n")], params={"s": JOINERS}, edges=["a"],
    ),
    short(
        "letter_count_plus", "word_letters", "a word", "how many '$c' it has, plus $k", "s.count('$c')+$k",
        around_letter, [("cat", "3"), ("moon", "2")], params={"c": _LETTERS, "k": range(2, 9)}, edges=["q"],
    ),
    short(
        "letter_replaced", "word_letters", "a word", "it with every '$c' made '$m'", "s.replace('$c','$m')",
        around_letter, [("cat", "c!t"), ("moon", "moon")], params={"c": _LETTERS, "m": MARKS[:8]},
        edges=["q"],
    ),
    short(
        "letter_dropped", "word_letters", "a word", "it without '$c' with '$m' at the end",
        "s.replace('$c','')+'$m'",
        around_letter, [("cat", "ct!"), ("moon", "moon!")], params={"c": _LETTERS, "m": MARKS[:8]},
        edges=["q"],
    ),
    short(
        "letters_joined_vague", "word_letters", "a word", "its letters, joined", "*s,sep='$s'", word(),
        [("cat", "c-a-t"), ("moon", "m-o-o-n")], params={"s": JOINERS}, vague=True,
    ),
    short(
        "letter_replaced_vague", "word_letters", "a word", "it with every '$c' made a sign",
        "s.replace('$c','$m')", around_letter, [("cat", "c!t"), ("moon", "moon")],
        params={"c": _LETTERS, "m": MARKS[:8]}, vague=True,
    ),
)  # fmt: skip

_CASE = (
    short(
        "word_cased", "word_case", "a word", "it $f with '$m' at the end", "s.$f()+'$m'", word(),
        [("cat", "CAT!"), ("moon", "MOON!")], params={"f": _CASES, "m": MARKS}, edges=["a"],
    ),
    short(
        "word_backwards", "word_case", "a word", "it backwards with '$m' at the end", "s[::-1]+'$m'", word(),
        [("cat", "tac!"), ("moon", "noom!")], params={"m": MARKS}, edges=["a"],
    ),
    short(
        "capitals_backwards", "word_case", "a word", "it backwards $f with '$m' at the end",
        "s[::-1].$f()+'$m'",
        word(),
        [("cat", "TAC!"), ("moon", "NOOM!")], params={"f": _CASES, "m": MARKS}, edges=["a"],
    ),
    short(
        "word_cased_vague", "word_case", "a word", "it in another case with '$m' at the end", "s.$f()+'$m'",
        _mixed_case,
        [("cAt", "CAT!"), ("Moon", "MOON!")],
        params={"f": ("upper", "lower", "title", "swapcase"), "m": MARKS}, vague=True,
    ),
)  # fmt: skip

_SLICE = (
    short(
        "first_letters", "word_slice", "a word", "its first $k letters with '$m' at the end", "s[:$k]+'$m'",
        _LONGER,
        [("bird", "bi!"), ("cat", "ca!")], params={"k": (2, 3), "m": MARKS}, edges=["a"],
    ),
    short(
        "last_letters", "word_slice", "a word", "its last $k letters with '$m' at the end", "s[-$k:]+'$m'",
        _LONGER,
        [("bird", "rd!"), ("cat", "at!")], params={"k": (2, 3), "m": MARKS}, edges=["a"],
    ),
    short(
        "without_first_letters", "word_slice", "a word",
        "it without its first $k letters with '$m' at the end",
        "s[$k:]+'$m'", _LONGER, [("bird", "rd!"), ("cat", "t!")],
        params={"k": (2, 3), "m": MARKS}, edges=["a"],
    ),
    short(
        "letter_at_vague", "word_slice", "a word", "the letter at place 2 with '$m' at the end", "s[$i]+'$m'",
        lambda rng, params: "".join(rng.sample("abcdefghijklmnop", rng.randint(4, 6))),
        [("bird", "i!"), ("cat", "a!")], params={"i": (1, 2, -2), "m": MARKS}, vague=True,
    ),
    short(
        "half_vague", "word_slice", "a word", "two of its letters with '$m' at the end", "s[$part]+'$m'",
        _LONGER,
        [("bird", "rd!"), ("cat", "at!")], params={"part": ("-2:", ":2"), "m": MARKS}, vague=True,
    ),
)  # fmt: skip

_MEASURE = (
    short(
        "length_plus", "word_measure", "a word", "its length plus $k", "len(s)+$k", word(3, 5),
        [("cat", "5"), ("apple", "7")], params={"k": range(2, 31)}, edges=["a"],
    ),
    short(
        "length_times", "word_measure", "a word", "its length times $k", "len(s)*$k", word(3, 5),
        [("cat", "6"), ("apple", "10")], params={"k": range(2, 31)}, edges=["a"],
    ),
    short(
        "word_and_length", "word_measure", "a word", "it and its length joined by '$s'", "s,len(s),sep='$s'",
        word(3, 5), [("cat", "cat-3"), ("apple", "apple-5")], params={"s": JOINERS}, edges=["a"],
    ),
    short(
        "has_letter", "word_measure", "a word", "'$y' if '$c' is in it, else '$z'",
        "'$y' if '$c' in s else '$z'",
        _with_or_without_letter, [("cat", "yes"), ("moon", "no")],
        params={"y": ("yes", "win", "up"), "z": ("no", "low"), "c": _LETTERS}, edges=["q"],
    ),
    short(
        "letter_place_vague", "word_measure", "a word", "the place of the first '$c' in it",
        "s.find('$c')$off",
        around_letter, [("cat", "2"), ("apple", "1")], params={"off": ("+1", ""), "c": _LETTERS}, vague=True,
    ),
    short(
        "word_and_length_vague", "word_measure", "a word", "it and its length, joined", "s,len(s),sep='$s'",
        word(3, 5), [("cat", "cat-3"), ("apple", "apple-5")], params={"s": JOINERS}, vague=True,
    ),
)  # fmt: skip

_PAD = (
    short(
        "word_padded", "word_pad", "a word", "it padded with '$c' on the $f to $w signs", "s.$f($w,'$c')",
        word(3, 5), [("cat", "***cat"), ("apple", "*apple")],
        params={"f": _SIDES[:2], "w": starting(6, range(6, 10)), "c": FILLERS}, edges=["a", "elephants"],
    ),
    short(
        "word_centred", "word_pad", "a word", "it in the middle of '$c', $w signs in all",
        "s.center($w,'$c')",
        _odd_length, [("cat", "**cat**"), ("apple", "*apple*")],
        params={"w": (7, 9, 11), "c": FILLERS}, edges=["a", "elephants"],
    ),
    short(
        "word_padded_vague", "word_pad", "a word", "it padded with '$c' to $w signs", "s.$f($w,'$c')",
        _odd_length,
        [("cat", "****cat"), ("apple", "**apple")],
        params={"f": ("rjust", "ljust", "center"), "w": (7, 9), "c": FILLERS}, vague=True,
    ),
    short(
        "word_filler_vague", "word_pad", "a word", "it padded on the $f to $w signs", "s.$f($w,'$c')",
        word(3, 5),
        [("cat", "****cat"), ("apple", "**apple")],
        params={"f": _SIDES[:2], "w": (7, 8, 9), "c": FILLERS}, vague=True,
    ),
    short(
        "word_unit", "word_pad", "a word", "its length, '$unit' and it with spaces", "len(s),'$unit',s",
        word(3, 5),
        [("cat", "3 kg cat"), ("apple", "5 kg apple")], params={"unit": UNITS}, edges=["a"],
    ),
)  # fmt: skip

TEMPLATES: tuple[ProblemTemplate, ...] = (*_ADD, *_REPEAT, *_LETTER, *_CASE, *_SLICE, *_MEASURE, *_PAD)
