"""Runs ``program.py`` as ``__main__``, unaltered. Sent into the sandbox as text; never imported.

A driver instead of the bare program for three reasons: a prelude can come first without moving the
program's lines or its ``from __future__`` imports, integers of any length can be printed, and errors name
``program.py`` whatever the service calls its files. Standard input and output belong to the program alone.
"""


def _main() -> None:
    import sys

    sys.set_int_max_str_digits(0)
    # The program gets the depth of recursion it would have without the frame below it.
    sys.setrecursionlimit(sys.getrecursionlimit() + 1)
    # It runs in the real ``__main__``, emptied of what is ours: at the end its objects go as they always do.
    namespace = globals()
    namespace["__doc__"] = None
    del namespace["_main"]
    try:
        for name in ("prelude.py", "program.py"):
            with open(name, encoding="utf-8") as file:  # noqa: PTH123  the fewer imports, the faster the run
                source = file.read()
            try:
                code = compile(source, name, "exec", dont_inherit=True)
            except (SyntaxError, ValueError, RecursionError) as error:
                if getattr(error, "filename", None):
                    raise
                # Null bytes and the like come without a place.
                raise SyntaxError(str(error), (name, 1, None, None)) from None
            exec(code, namespace)
    except SystemExit:
        raise
    except BaseException as error:
        # Show what plain Python would: the frames from the program's own on.
        traceback = error.__traceback__
        while traceback and traceback.tb_frame.f_code.co_filename not in ("program.py", "prelude.py"):
            traceback = traceback.tb_next
        error.__traceback__ = traceback
        sys.excepthook(type(error), error, traceback)
        sys.exit(1)


_main()
