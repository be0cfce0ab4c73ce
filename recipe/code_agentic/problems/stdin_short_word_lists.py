"""Short problems about a few words on one line."""

from __future__ import annotations

from random import Random

from recipe.code_agentic.problems.short_form import JOINERS, MARKS, WORDS, short, words
from recipe.code_agentic.problems.template import Choice, Params, ProblemTemplate

_WHICH = (
    Choice("first", "w[0]"),
    Choice("last", "w[-1]"),
    Choice("longest", "max(w,key=len)"),
    Choice("shortest", "min(w,key=len)"),
)
_TARGETS = WORDS[:20]
_LETTERS = tuple("bcmrs")
_ANY = words()
_FOUR = words(4, 4)


def _of_unlike_lengths(rng: Random, params: Params) -> str:
    """Words of different lengths, so that the longest and the shortest are clear."""
    drawn = [rng.choice([w for w in WORDS if len(w) == length]) for length in (3, 4, 5)]
    rng.shuffle(drawn)
    return " ".join(drawn)


def _around_length(rng: Random, params: Params) -> str:
    """One word of the length in question and two longer ones."""
    length = int(params["k"])
    longer = rng.sample([w for w in WORDS if len(w) > length], 2)
    drawn = [rng.choice([w for w in WORDS if len(w) == length]), *longer]
    rng.shuffle(drawn)
    return " ".join(drawn)


def _around_target(rng: Random, params: Params) -> str:
    pool = (str(params["t"]), *rng.sample(WORDS, 2))
    return " ".join(rng.choice(pool) for _ in range(rng.randint(3, 4)))


def _around_initial(rng: Random, params: Params) -> str:
    fitting = [w for w in WORDS if w.startswith(str(params["c"]))]
    drawn = {*rng.sample(fitting, rng.randint(1, 3)), rng.choice(WORDS)}
    return " ".join(sorted(drawn, key=lambda _: rng.random()))


_JOIN = (
    short(
        "words_joined", "words_join", "words", "the words joined by '$s'", "'$s'.join(w)", _ANY,
        [("red cat", "red-cat"), ("sun", "sun")], params={"s": JOINERS}, edges=["a"],
    ),
    short(
        "words_backwards", "words_join", "words", "the words from last to first joined by '$s'",
        "'$s'.join(w[::-1])", _ANY, [("red cat", "cat-red"), ("sun", "sun")], params={"s": JOINERS},
        edges=["a"],
    ),
    short(
        "words_joined_mark", "words_join", "words", "the words joined by '$s' with '$m' at the end",
        "'$s'.join(w)+'$m'",
        _ANY, [("red cat", "red-cat!"), ("sun", "sun!")], params={"s": JOINERS[:6], "m": MARKS[:4]},
        edges=["a"],
    ),
    short(
        "words_joined_vague", "words_join", "words", "the words joined", "'$s'.join(w)", _ANY,
        [("red cat", "red-cat"), ("sun", "sun")], params={"s": JOINERS}, vague=True,
    ),
    short(
        "words_backwards_vague", "words_join", "words", "the words from last to first, joined",
        "'$s'.join(w[::-1])", _ANY, [("red cat", "cat-red"), ("sun", "sun")], params={"s": JOINERS},
        vague=True,
    ),
    short(
        "words_joined_mark_vague", "words_join", "words", "the words joined by '$s' with a sign at the end",
        "'$s'.join(w)+'$m'", _ANY, [("red cat", "red-cat!"), ("sun", "sun!")],
        params={"s": JOINERS[:6], "m": MARKS[:4]}, vague=True,
    ),
)  # fmt: skip

_ORDER = (
    short(
        "words_sorted", "words_order", "words", "the words from a to z joined by '$s'",
        "'$s'.join(sorted(w))",
        _ANY, [("red cat", "cat-red"), ("sun", "sun")], params={"s": JOINERS}, edges=["b b a"],
    ),
    short(
        "words_by_length", "words_order", "words", "the words from short to long joined by '$s'",
        "'$s'.join(sorted(w,key=len))", _of_unlike_lengths,
        [("chair red book", "red-book-chair"), ("sun", "sun")],
        params={"s": JOINERS}, edges=["b a"], difficulty="medium",
    ),
    short(
        "words_sorted_vague", "words_order", "words", "the words sorted and joined by '$s'",
        "'$s'.join(sorted(w)$turn)", _ANY, [("red cat", "red-cat"), ("sun", "sun")],
        params={"turn": ("[::-1]", ""), "s": JOINERS}, vague=True,
    ),
    short(
        "words_sort_key_vague", "words_order", "words", "the words in order and joined by '$s'",
        "'$s'.join(sorted(w$key))", _of_unlike_lengths,
        [("chair red book", "red-book-chair"), ("sun", "sun")],
        params={"key": (",key=len", ""), "s": JOINERS}, vague=True, difficulty="medium",
    ),
)  # fmt: skip

_PICK = (
    short(
        "which_word", "words_pick", "words", "the $which word with '$m' at the end", "$which+'$m'",
        _of_unlike_lengths, [("red chair book", "red!"), ("sun", "sun!")],
        params={"which": _WHICH, "m": MARKS},
        edges=["a"],
    ),
    short(
        "which_word_capitals", "words_pick", "words", "the $which word in capitals with '$m' at the end",
        "$which.upper()+'$m'", _of_unlike_lengths, [("red chair book", "RED!"), ("sun", "SUN!")],
        params={"which": _WHICH, "m": MARKS}, edges=["a"],
    ),
    short(
        "word_at_place", "words_pick", "words", "the word at place $i, counted from 1, with '$m' at the end",
        "w[$i-1]+'$m'", _FOUR, [("red cat sun box", "red!"), ("sun red cat box", "sun!")],
        params={"i": range(1, 5), "m": MARKS},
    ),
    short(
        "word_at_vague", "words_pick", "words", "the word at place $i with '$m' at the end", "w[$i$off]+'$m'",
        _FOUR, [("red cat sun box", "cat!"), ("sun red cat box", "red!")],
        params={"off": ("-1", ""), "i": (2,), "m": MARKS}, vague=True,
    ),
    short(
        "end_word_vague", "words_pick", "words", "one of the words with '$m' at the end", "$which+'$m'",
        _of_unlike_lengths, [("red chair book", "red!"), ("sun", "sun!")],
        params={"which": ("w[0]", "w[-1]", "max(w,key=len)"), "m": MARKS}, vague=True,
    ),
)  # fmt: skip

_MAP = (
    short(
        "each_word_mark", "words_map", "words", "each word with '$m' at the end on one line",
        "*[x+'$m' for x in w]",
        _ANY,
        [("red cat", "red! cat!"), ("sun", "sun!")], params={"m": MARKS}, edges=["a"],
    ),
    short(
        "each_word_capitals", "words_map", "words", "each word in capitals, joined by '$s'",
        "*[x.upper() for x in w],sep='$s'", _ANY, [("red cat", "RED-CAT"), ("sun", "SUN")],
        params={"s": JOINERS}, edges=["a"],
    ),
    short(
        "each_word_initial", "words_map", "words", "the first letter of each word, joined by '$s'",
        "*[x[0] for x in w],sep='$s'", _ANY, [("red cat", "r-c"), ("sun", "s")], params={"s": JOINERS},
        edges=["a"],
    ),
    short(
        "each_word_length", "words_map", "words", "the length of each word, joined by '$s'",
        "*[len(x) for x in w],sep='$s'", _ANY, [("red book", "3-4"), ("sun", "3")], params={"s": JOINERS},
        edges=["a"],
    ),
    short(
        "each_word_backwards", "words_map", "words", "each word backwards, joined by '$s'",
        "*[x[::-1] for x in w],sep='$s'", _ANY, [("red cat", "der-tac"), ("sun", "nus")],
        params={"s": JOINERS},
        edges=["a"],
    ),
    short(
        "each_word_mark_vague", "words_map", "words", "each word with a sign at the end on one line",
        "*[x+'$m' for x in w]",
        _ANY, [("red cat", "red! cat!"), ("sun", "sun!")], params={"m": MARKS}, vague=True,
    ),
    short(
        "each_word_initial_vague", "words_map", "words", "one letter of each word, joined by '$s'",
        "*[x[$i] for x in w],sep='$s'", _ANY, [("red cat", "r-c"), ("sun", "s")],
        params={"i": (0, -1, 1), "s": JOINERS}, vague=True,
    ),
    short(
        "each_word_capitals_vague", "words_map", "words", "each word in capitals, joined",
        "*[x.upper() for x in w],sep='$s'", _ANY, [("red cat", "RED-CAT"), ("sun", "SUN")],
        params={"s": JOINERS}, vague=True,
    ),
)  # fmt: skip

_COUNT = (
    short(
        "word_count", "words_count", "words", "how many of them are '$t'", "w.count('$t')", _around_target,
        [("cat sun cat", "2"), ("sun", "0")], params={"t": _TARGETS}, edges=["q"],
    ),
    short(
        "words_size_plus", "words_count", "words", "how many there are, plus $k", "len(w)+$k", words(1, 5),
        [("cat sun cat", "5"), ("sun", "3")], params={"k": range(2, 31)}, edges=["q"],
    ),
    short(
        "long_words", "words_count", "words", "those longer than $k, joined by '$s'",
        "*[x for x in w if len(x)>$k],sep='$s'", _around_length,
        [("cat book", "book"), ("chair moon", "chair-moon")],
        params={"k": (3, 4), "s": JOINERS}, edges=["q"],
    ),
    short(
        "words_with_initial", "words_count", "words", "those that start with '$c', joined by '$s'",
        "*[x for x in w if x[0]=='$c'],sep='$s'", _around_initial, [("cat bee box", "bee-box"), ("sun", "")],
        params={"c": _LETTERS, "s": JOINERS}, edges=["q"],
    ),
    short(
        "words_without", "words_count", "words", "those that are not '$t' on one line",
        "*[x for x in w if x!='$t']",
        _around_target, [("cat sun cat", "sun"), ("sun", "sun")], params={"t": _TARGETS}, edges=["q"],
    ),
    short(
        "long_words_vague", "words_count", "words", "those past length $k, joined by '$s'",
        "*[x for x in w if len(x)>$eq$k],sep='$s'", _around_length,
        [("cat book", "cat-book"), ("chair moon", "chair-moon")],
        params={"eq": ("=", ""), "k": (3,), "s": JOINERS}, vague=True,
    ),
)  # fmt: skip

TEMPLATES: tuple[ProblemTemplate, ...] = (*_JOIN, *_ORDER, *_PICK, *_MAP, *_COUNT)
