"""The table of all functions that Terraform 1.11 has, and of some that it had before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aks_egress.values import Unknown
from aks_egress_scan.readers.hcl.functions import addresses as cidr
from aks_egress_scan.readers.hcl.functions import (
    collections,
    encoding,
    files,
    numbers,
    regexes,
    strings,
    templating,
)
from aks_egress_scan.readers.hcl.functions import dates as times
from aks_egress_scan.readers.hcl.functions.function import Files, Function
from aks_egress_scan.readers.hcl.terms import ProblemError, Term, first_unknown
from aks_egress_scan.readers.hcl.types import BOOL, NUMBER, STRING, Type, convert, spelled, type_of

__all__ = ["CONTROL", "FUNCTIONS", "Files", "Function"]

Argument = Callable[[], Term]
"""An argument that is evaluated when called, and may raise ProblemError."""


def _try(arguments: list[Argument]) -> Term:
    """The first argument that can be evaluated; where one may yet fail, nobody can say which."""
    for argument in arguments:
        try:
            return argument()
        except ProblemError:
            continue
    raise ProblemError("`try` finds no argument that can be evaluated")


def _can(arguments: list[Argument]) -> Term:
    if len(arguments) != 1:
        raise ProblemError("`can` takes one argument")
    try:
        unknown = first_unknown(arguments[0]())
    except ProblemError:
        return False
    return True if unknown is None or unknown.refers_to else Unknown(unknown.why, unknown.origin)


#: functions that decide themselves which of their arguments are evaluated
CONTROL: Final[dict[str, Callable[[list[Argument]], Term]]] = {"try": _try, "can": _can}


def _conversion(kind: Type) -> Callable[[Term], Term]:
    return lambda value: convert(value, kind)


def _sensitive(_value: Term) -> Unknown:
    return Unknown("the value is marked as sensitive")


def _later(why: str) -> Callable[..., Unknown]:
    return lambda *_: Unknown(why)


_RANDOM: Final = "the value is made anew at every run"
_TIME: Final = "the value is the time of the run"

_OTHERS: Final = (
    Function("tostring", _conversion(STRING), ("any",), nullable=True),
    Function("tonumber", _conversion(NUMBER), ("any",), nullable=True),
    Function("tobool", _conversion(BOOL), ("any",), nullable=True),
    Function("type", lambda value: spelled(type_of(value)), ("any",), nullable=True),
    Function("sensitive", _sensitive, ("any",), whole=True, nullable=True),
    Function("nonsensitive", lambda value: value, ("any",), whole=True, nullable=True),
    Function("issensitive", lambda _: False, ("any",), nullable=True),
    Function("ephemeralasnull", _later("the value is ephemeral"), ("any",), whole=True, nullable=True),
    Function("timestamp", _later(_TIME), ()),
    Function("plantimestamp", _later(_TIME), ()),
    Function("uuid", _later(_RANDOM), ()),
    Function("bcrypt", _later(_RANDOM), ("string", "number?")),
    Function("base64gzip", _later("compressed text is not computed here"), ("string",)),
    Function("rsadecrypt", _later("encrypted text is not read"), ("string", "string")),
)

FUNCTIONS: Final[dict[str, Function]] = {
    one.name: one
    for family in (
        numbers.FUNCTIONS,
        strings.FUNCTIONS,
        regexes.FUNCTIONS,
        collections.FUNCTIONS,
        encoding.FUNCTIONS,
        cidr.FUNCTIONS,
        times.FUNCTIONS,
        files.FUNCTIONS,
        templating.FUNCTIONS,
        _OTHERS,
    )
    for one in family
}
