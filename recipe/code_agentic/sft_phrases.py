"""What the model says in SFT conversations of the ``full`` style, as templates of ``phrases``.

Only sentences; which one fits and with which facts is decided in ``sft_texts``. Each bank is large enough
that no sentence without a fact comes back in more than a few of a hundred conversations, which a test counts.
"""

from __future__ import annotations

OPENINGS = (
    "[I'll|I will|Let me] [write|start with|put down] [a first|my first] [version|draft|attempt|program] "
    "and [run|try|check|test] it [on|against|with] the [example cases|examples|public cases|given cases].",
    "[Here is|This is] [my first attempt|a first version|my first draft|what I would write|a first "
    "solution]; [let me see|I'll see|let's see|let me check|I'll check] [what the examples say|how it does "
    "on the examples|whether the cases pass|if the examples pass|how the cases come out].",
    "[First|To begin with,|As a start,] [I'll submit|I submit|let me submit|I'll run|let me run] [a "
    "straightforward|a direct|a plain|a simple] [solution|program|version|implementation] and [look at the "
    "verdicts|see what comes back|check the verdicts|see which cases pass|let the cases judge it].",
    "[Let me|I'll|I want to|I am going to] [test|try|run|check] [this|this version|this solution|this "
    "program|my solution|what I have] [first|before I answer|before answering|right away|on the examples].",
    "[My|The|This] [plan|idea|approach] [is clear enough|seems clear|is simple enough|can be written down "
    "directly], so [I'll|let me] [code it|write it|put it into code] and [run it|test it|try it|check it].",
)  # fmt: skip

OPENINGS_CALL = (
    "[I'll|Let me|I will] [write|implement|define] `{fn_name}` and [run|call|try|test] it [on the examples|"
    "with the example cases|on the public cases|on the given calls].",
    "[Here is|This is] [my|a first] [version|implementation|draft] of `{fn_name}`[|, to be run on the "
    "examples|; let me test it|; now to the examples|, which I'll test].",
    "`{fn_name}` [can be|could be] [written|done|implemented] like this; [I'll check|let me check|I'll see|"
    "let's see] [it|it on the examples|it against the cases|whether that holds].",
)  # fmt: skip

# Where the tool's answers show no verdicts: nothing about cases.
OPENINGS_PLAIN = (
    "[I'll|I will|Let me] [write|start with|put down] [a first|my first] [version|draft|attempt|program] "
    "and [submit it|hand it in|send it to the tool|see what the tool says].",
    "[Here is|This is] [my first attempt|a first version|my first draft|what I would write|a first "
    "solution][|; let me see what the tool says|; let me see what comes back|; I'll look at the answer].",
    "[First|To begin with,|As a start,] [I'll submit|I submit|let me submit] [a straightforward|a direct|a "
    "plain|a simple] [solution|program|version|implementation][| and see what comes back| and look at the "
    "answer].",
    "[My|The|This] [plan|idea|approach] [is clear enough|seems clear|is simple enough|can be written down "
    "directly], so [I'll|let me] [code it|write it|put it into code] and [submit it|hand it in].",
)  # fmt: skip

# Kind of symptom -> what the verdict showed.
SYMPTOMS = {
    "wrong_call": (
        "`{call}` [returns|gives|gave|came back with|yields] `{got}`[, but|;| where| while] `{want}` is "
        "[expected|the expected value|the right answer|what is asked for].",
        "[For|With|On] `{call}` [I get|my function returns|the function returns|it returns|the result is] "
        "`{got}` [instead of|and not|rather than] `{want}`.",
        "[Case|The failing case is case|It fails on case] {index}: `{call}` [should be|has to be|must "
        "give] `{want}`, [not|and it is|yet it gives|I return] `{got}`.",
        "[The expected value of|Expected for|What is expected of] `{call}` is `{want}`[, and I return|, "
        "but I return|, but I got|; the program says|; mine is] `{got}`.",
    ),
    "wrong_call_long": (
        "[Case {index} fails:|In case {index}|For case {index}|On case {index}] [the returned value|the "
        "result|what `{fn_name}` returns] [differs from|is not|does not match|disagrees with] [the "
        "expected one|what is expected|the expected value].",
        "`{fn_name}` [runs|ends without an error|finishes], but [its result|its value|the answer] for case "
        "{index} is [wrong|not the expected one|not right|another one than expected].",
        "[The verdict for|What came back for] case {index} is [a wrong answer|that the value is wrong|that "
        "this is not the right value].",
    ),
    "wrong_output": (
        "[For|With|On] the input `{given}` [it prints|my program prints|the program prints|I print|the "
        "output is] `{got}` [instead of|and not|rather than] `{want}`.",
        "The input `{given}` [should give|has to give|must give|asks for] `{want}`, [but I print|but the "
        "output is|and my output is|not] `{got}`.",
        "[Case {index} fails|Case {index} is wrong|It fails on case {index}]: `{want}` [expected|is "
        "expected|was expected], `{got}` [printed|was printed|came out].",
        "`{got}` [is not|is wrong for `{given}`;|does not match] [what is expected:|the expected output is|"
        "the expected] `{want}`.",
    ),
    "wrong_output_long": (
        "[Case {index} fails:|In case {index}|For case {index}|On case {index}] [the output|what is "
        "printed|what my program prints] [differs from|is not|does not match|disagrees with] [the expected "
        "output|what is expected|the expected text].",
        "[It|The program|My program] [runs|ends without an error|finishes], but [its output|what it "
        "prints] for case {index} is [wrong|not the expected one|not right].",
        "[The verdict for|What came back for] case {index} is [a wrong answer|that the output is wrong|"
        "that this is not the right output].",
    ),
    "located_error": (
        "[It stops with|The run ends in|This raises|I get|The program ends with] {category} [on|"
        "at|in] line {line}[:|, in|, which is|, at] `{source}`.",
        "[Line|The error is on line|It fails on line|The traceback points to line] {line}[,|:] "
        "`{source}`[: {category}| raises {category}| ends in {category}| is where {category} comes from].",
        "{category} [on|in|at] line {line}[: `{source}`| (`{source}`)|, that is `{source}`][, says the "
        "verdict|].",
    ),
    "message": (
        "[The message is|It says|The message says|Python says|The text of it:] \"{message}\".",
        "[That|The message] \"{message}\" [is the clue|says what is wrong|tells me where to look|is clear "
        "enough].",
    ),
    "error": (
        "[It stops with|The run ends in|The program ends with|The verdict is|I get] {category} [on|in|for] "
        "case {index}.",
        "Case {index} [ends in|ends with|stops with|fails with] {category}[|, before any answer|, so there "
        "is no answer].",
    ),
    "compile": (
        "[It|The program|This] [does not compile|is not accepted by the compiler|fails to compile]: "
        "\"{message}\".",
        "[The compiler says|The compiler complains|Compilation fails]: \"{message}\".",
    ),
    "time_limit": (
        "[In case {index}|On case {index}|With case {index}] [it|the program] [does not finish in time|"
        "runs into the time limit|is stopped by the time limit|never comes to an end in the time there is].",
        "[The time limit is reached|It takes too long|It runs too long|It is still running when time is "
        "up] [on|in|for] case {index}.",
    ),
    "memory_limit": (
        "[In case {index}|On case {index}] [it|the program] [uses too much memory|needs more memory than "
        "it may have|runs into the memory limit].",
    ),
    "output_limit": (
        "[In case {index}|On case {index}] [it|the program] [prints far too much|writes more output than "
        "it may|runs into the output limit].",
    ),
}  # fmt: skip

# Kind of hint (``hints``) -> what that points to; kinds that say nothing more than the symptom are left out.
CAUSES = {
    "off_by_one": (
        "[That is off by one|The answer is off by one|The two are just one apart|They differ by one][|, so "
        "a bound or a start value is suspect|; a bound is the first thing to look at|, so I look at the "
        "bounds].",
    ),
    "misses_last": (
        "[Only the last|The last|Just the last] [element|one|part] is [missing|left out], so [a range|a "
        "bound|something] [ends|stops] [too early|one too soon].",
    ),
    "misses_first": (
        "[Only the first|The first|Just the first] [element|one|part] is [missing|left out], so [a range|"
        "something] [starts|begins] [too late|one too far on].",
    ),
    "one_too_many": (
        "There is [one element|one item|one] too many, so [a range|a bound|something] [goes|runs|reaches] "
        "[too far|one too far].",
    ),
    "reversed": (
        "[The order is|It comes out] [reversed|the wrong way round|back to front].",
    ),
    "order": (
        "[The elements|The values] are right, [only their order is not|but in the wrong order|not so their "
        "order].",
    ),
    "sign": (
        "[Only the sign|Just the sign] is [wrong|the other way round].",
    ),
    "letter_case": (
        "[Only|Just] [upper and lower case|the case of the letters] [differ|is different|is wrong].",
    ),
    "separator": (
        "[The values are right|The values agree]; [the way they are written|the format|the separator] is "
        "not.",
    ),
    "rounding": (
        "[It is close|The number is close], so [rounding|a division] [is to blame|goes wrong|must be the "
        "cause].",
    ),
    "missing_return": (
        "[It|The function] [returns None|returns nothing], so [a return is missing|some path has no return|"
        "the result is never returned].",
    ),
    "missing_print": (
        "[Nothing is printed|There is no output], so [the result is never printed|a print is missing].",
    ),
    "no_output": (
        "[Nothing is printed|There is no output] [at all|for this input], so print [is not reached|is "
        "skipped].",
    ),
    "return_type": (
        "[The type|The kind of value] is [wrong|another one]: [it should be|expected is] {want}.",
    ),
    "name_near": (
        "[I meant|That should be|It must be] `{near}`[|; I misspelled it|, a slip of mine].",
        "`{name}` is [a misspelling|a typo], [I meant|for] `{near}`.",
    ),
    "type_none": (
        "[A value there is|Something there is] None[ where it should not be|, which can't be used like "
        "that].",
    ),
    "IndexError": (
        "[The index|An index] [goes|runs|reaches] [past|beyond] the end[ of the sequence|].",
        "[So an index is too large|So the index leaves the range|So it reads one place too far].",
    ),
    "KeyError": (
        "[That key is not in the dictionary|There is no such key][| yet].",
        "The key is looked up [before it is there|and is not there].",
    ),
    "RecursionError": (
        "[The recursion never stops|Nothing ends the recursion|The base case is never reached|It calls "
        "itself for ever].",
    ),
    "ZeroDivisionError": (
        "[The divisor is|I divide by something that is] zero there.",
    ),
    "unbound_local": (
        "[Assigning to|An assignment to] `{name}` [in the function makes it local|makes it a local "
        "variable], [and it has no value yet|so the one outside is hidden].",
    ),
    "time_limit": (
        "[Probably|Most likely|I suspect] [a loop never ends|some loop does not end|it does far too much "
        "work].",
    ),
    "bracket": (
        "[A bracket|One bracket] [has no partner|is missing|is not closed].",
    ),
    "colon": (
        "[The colon|A colon] [is missing|was forgotten] there.",
    ),
    "quote": (
        "[A quote|The closing quote] [is missing|was forgotten].",
    ),
    "indentation": (
        "[The indentation|The block structure] [is wrong there|is off|does not fit].",
    ),
}  # fmt: skip

# Kind of change (``program_changes``) -> what the next program does about it.
CHANGES = {
    "line": (
        "[Line {line} should read|Line {line} has to be|Line {line} must be|On line {line} I need|Line "
        "{line} becomes|It should say on line {line}:] `{new}`[, not `{old}`| instead of `{old}`| rather "
        "than `{old}`|; now it is `{old}`].",
        "[[I'll change|Let me change|I change|So I change|I am changing|I correct] `{old}` to|[I'll turn|"
        "Let me turn|I turn] `{old}` into] `{new}`[ on line {line}| in line {line}| there|].",
        "[The fix is|The repair is|So it has to be|It has to be|What I need is|Right would be] `{new}`[ on "
        "line {line}| in line {line}|][ in place of `{old}`| instead of `{old}`|, not `{old}`].",
        "`{old}` [is wrong|is the mistake|is not right|is the problem|can't be right|is what goes wrong]; "
        "[it should be|it has to be|I need|I meant|this must be|correct is] `{new}`[| on line {line}].",
    ),
    "indent": (
        "[Line {line}, `{new}`,|The line `{new}`] [belongs|has to go|must stand|should stand] [at another "
        "level|at a different indentation|in another block][|, so I'll move it|; let me move it].",
        "[I'll move|Let me move|I move] `{new}` (line {line}) to [the right level|the block that it "
        "belongs to|where it belongs|its own level].",
        "`{new}` is [indented wrongly|at the wrong level|in the wrong block] on line {line}[|; I'll "
        "correct that|, so I'll indent it properly].",
    ),
    "insert": (
        "[What is missing is|There is a line missing:|I left out|I forgot|Missing is] `{new}`[, before "
        "line {line}| at line {line}|; it goes in at line {line}|].",
        "[I'll add|Let me add|I add|I have to add|I need to add] `{new}`[ at line {line}| there| before "
        "line {line}|, which I had left out].",
        "`{new}` [has to come|must come|should stand|belongs] [at|before] line {line}[|; I had left it out|"
        ", and is missing].",
    ),
    "delete": (
        "[Line {line}, `{old}`,|The line `{old}`|`{old}` on line {line}] [has to go|does not belong there|"
        "must go|should not be there|is one line too many].",
        "[I'll take out|Let me remove|I remove|I'll drop|I drop] `{old}`[ on line {line}|, line {line}|].",
    ),
    "order": (
        "[Two lines|The lines] [at|around] line {line} [are|stand] in the wrong order[|: `{new}` has to "
        "come first|; `{new}` goes first].",
        "`{new}` [has to come|must come|should come|belongs] before `{old}`[|; I'll swap them|, so let me "
        "swap them].",
    ),
    "lines": (
        "[I'll correct|Let me correct|I'll mend|I have to change|I'll go over|I'm changing] [lines|the "
        "lines] {lines}[|, among them `{new}`|; one of them becomes `{new}`].",
        "[Several lines are wrong|More than one line has to change|There is more than one place to "
        "change]: {lines}[|, with `{new}` for one|; `{new}`, for example].",
    ),
    "rewrite": (
        "[I'd rather|I'll|Let me] [write it again|start over|rewrite it|take another approach|do it in "
        "another way][, keeping|, starting from|, around| with] `{new}`.",
        "[This version|The program] [is not worth mending|has more wrong with it than one line|needs more "
        "than a small fix]; [I'll rewrite it|let me rewrite it|I'll write a new one][|, now with `{new}`].",
    ),
    "unspecific": (
        "[I'll|Let me] [fix|correct|mend|repair] [that|it|this][| and run it again| and try again|, then "
        "submit it again].",
        "[Here is|This is] [the corrected program|a corrected version|the program with that corrected|what "
        "I change it to].",
    ),
}  # fmt: skip

CLOSINGS = (
    "[All of the example cases pass|Every one of the example cases passes|All example cases pass][ now|]; "
    "[this is|here is|that makes this] [my answer|my final program|the final program|my solution].",
    "[The examples|The example cases|The public cases|All cases that I can run] [pass|come out right|are "
    "right|are passed], so [I submit this|this is my answer|I'll leave it at this|this is my final program|"
    "I am done].",
    "[It|The program|This version|This one] [passes|gets through|solves] [the example cases|all examples|"
    "every example|the cases shown][.|, so I'll stop here.|, and I see nothing else to change.|; the final "
    "version:|, so this is my answer.]",
    "[Done|Good|Fine|That works]: [the examples|all of the example cases|the cases] [pass|come out right|"
    "are as expected][|, and the program is final|, so here it is|, and this is what I submit].",
)  # fmt: skip

# Where the tool's answers show no verdicts.
CLOSINGS_PLAIN = (
    "[This is|Here is|That makes this] [my|the] [answer|final program|final answer|solution|final version].",
    "[I submit|I'll submit|I answer with|My answer is|I'll leave it at|I end with] [this|this program|this "
    "version|this solution].",
    "[The|My] [final|last|finished] [version|program|solution|answer]:",
    "[I am done|Done|That is all]; [this is|here is] [my answer|my final program|the final program|what I "
    "submit].",
)  # fmt: skip

CLOSINGS_REPAIRED = (
    "[With that|Now|After that change|After the repair|With this change] [the examples|the example cases|"
    "all cases shown|the public cases] [pass|come out right|are passed][|; this is my final program|, so "
    "this is my answer|, and I am done].",
    "[The repaired|The corrected|This] [program|version] [passes|gets through] [the examples|all example "
    "cases|the cases shown|every example][.|. What was wrong: `{old}`.|; the mistake was `{old}`.|; it was "
    "`{old}` that went wrong.]",
    "[The mistake|The bug|What was wrong|The cause] was `{old}`[ on line {line}|][;| and] [it is|now it is|"
    "that is now|it became] `{new}`, [and the cases pass|and the examples pass|and every example passes|"
    "which passes the examples].",
    "[[It took|That took] {repairs}, and now|After {repairs}|With {repairs}] [the examples|all example "
    "cases|the cases] [pass|come out right][.|, and I am done.|; the final version:|, so this is my "
    "answer.]",
)  # fmt: skip
