"""Questions asked side by side and for a bounded time, and what is said of one that had no answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from threading import Thread
from time import monotonic
from typing import Any

from aks_egress_scan.live.blotted import blotted
from aks_egress_scan.live.session import first_line

LONGEST = 400
"""Characters of a server's answer that are kept."""


class NoAnswerError(Exception):
    """A question that was given up, or an answer that is none."""


class RefusedError(Exception):
    """An answer whose status is an error, as the HTTP library gives it."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("no more is said")
        self.status, self.body = status, body


def side_by_side(questions: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, Any]:
    """The answer to each question, an exception where it has none; after so many seconds nobody waits on.

    A server that sends a byte now and then keeps a read from timing out for ever, so the threads that
    ask are left behind and do not keep the process alive.
    """
    answers: dict[str, Any] = {}

    def ask(name: str, question: Callable[[], Any]) -> None:
        try:
            answers[name] = question()
        except Exception as error:  # noqa: BLE001 - whatever the client raises is an answer here
            answers[name] = error

    threads = [Thread(target=ask, args=item, daemon=True) for item in questions.items()]
    for thread in threads:
        thread.start()
    end = monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - monotonic()))
    late = NoAnswerError(f"no whole answer within {seconds:g} s")
    return {name: answers.get(name, late) for name in questions}


def said(error: Exception) -> str:
    """Why a question had no answer: the server's own words where it has some, else what is wrong on the way."""
    status, body = getattr(error, "status", None), getattr(error, "body", None)
    told = _told(body) or on_the_way(error) or getattr(error, "reason", "") or error
    text = f"{f'HTTP {status}: ' if status else ''}{first_line(told)}"
    if status == 401:
        text += ": the credentials are not accepted, perhaps they are out of date"
    return blotted(text)[:LONGEST]


def _told(body: Any) -> str:
    try:
        message = json.loads(body)["message"] if body else ""
    except (ValueError, KeyError, TypeError):
        return ""
    return message if isinstance(message, str) else ""


#: the class of an error of the HTTP library, somewhere below -> what it means
_WAYS = (
    ("NameResolutionError", "its name does not resolve from this machine"),
    (
        "ConnectTimeoutError",
        "no connection from this machine within the time: packets are dropped on the way",
    ),
    ("SSLError", "TLS fails between this machine and it"),
    ("SSLCertVerificationError", "TLS fails between this machine and it"),
    ("ReadTimeoutError", "no answer within the time"),
    ("NewConnectionError", "no connection from this machine"),
    (
        "JSONDecodeError",
        "the answer is no JSON, so not Kubernetes' own: something on the way answers in its place",
    ),
)


def on_the_way(error: Exception) -> str:
    """A sentence for what the HTTP library reports, with its own last words; empty for anything else."""
    below = _below(error)
    for name, meaning in _WAYS:
        for one in below:
            if type(one).__name__ == name:
                return f"{meaning}{_last_words(one)}"
    return ""


def _below(error: BaseException) -> list[BaseException]:
    """The error and those that it was made of."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting and len(found) < 20:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [getattr(one, name, None) for name in ("reason", "inner_exception")]
            waiting += [one.__cause__, one.__context__, *one.args]
    return found


def _last_words(error: BaseException) -> str:
    """What the system says in the end: `Connection refused`, `certificate verify failed: …`."""
    if type(error).__name__ in ("JSONDecodeError", "ConnectTimeoutError", "ReadTimeoutError"):
        return ""
    text = first_line(error).split("Failed to establish a new connection: ")[-1]
    text = text.split("Failed to resolve ")[-1]
    return f": {text}" if text else ""
