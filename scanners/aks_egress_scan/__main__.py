"""The command `aks-egress`: `main` and the last resort for errors of our own."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO

from aks_egress_scan import cli


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit status; never raises but for interruption of output."""
    if sys.stderr is None:
        sys.stderr = StringIO()
    gc.set_threshold(200_000, 20, 20)  # a short run makes many objects and hardly any rubbish
    try:
        return cli.run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:
        _say("aks-egress: interrupted, nothing was decided\n")
        return 130
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback, never a pass
        _say(_last_words(error))
        return 2


def entry() -> None:
    """The command of a process of its own: ends it without taking it apart, which costs a tenth of a small scan."""
    status = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        sys.exit(status)  # the interpreter's own end knows what to do with a closed pipe
    os._exit(status)


def _say(text: str) -> None:
    """Write to standard error; one that takes nothing changes no exit status."""
    with suppress(OSError, ValueError):
        sys.stderr.write(text)


def _last_words(error: Exception) -> str:
    """What to report about an error of our own: its kind and our own lines, nothing of the inputs."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_qualname} line {trace.tb_lineno}")
        trace = trace.tb_next
    return (
        f"aks-egress: an error of this program, not of your input: {type(error).__name__} in {places[-1]}\n"
        f"  nothing was decided; please report this line with the version {cli.version()}: {' < '.join(reversed(places[-6:]))}\n"
    )


if __name__ == "__main__":
    entry()
