"""The table of all functions that Terraform 1.11 has, and of some that it had before."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from aks_egress.values import Unknown
from aks_egress_scan.readers.hcl.functions.function import Files, Function
from aks_egress_scan.readers.hcl.terms import ProblemError, Term, first_unknown
from aks_egress_scan.readers.hcl.types import BOOL, NUMBER, STRING, Type, convert, spelled, type_of

__all__ = ["CONTROL", "FAMILIES", "Files", "Function", "function", "names"]

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

#: family (a module beside this one) -> its functions; a family is imported when one of them is called
FAMILIES: Final[dict[str, str]] = {
    "addresses": "cidrhost cidrnetmask cidrsubnet cidrsubnets",
    "collections": "alltrue anytrue chunklist coalesce coalescelist compact concat contains distinct element flatten index keys length list lookup map matchkeys merge one range reverse setintersection setproduct setsubtract setunion slice tolist tomap toset transpose values zipmap",
    "dates": "formatdate timeadd timecmp",
    "encoding": "base64decode base64encode base64sha256 base64sha512 csvdecode jsondecode jsonencode md5 sha1 sha256 sha512 textdecodebase64 textencodebase64 urlencode uuidv5 yamldecode yamlencode",
    "files": "abspath basename dirname file filebase64 filebase64sha256 filebase64sha512 fileexists filemd5 fileset filesha1 filesha256 filesha512 pathexpand",
    "numbers": "abs ceil floor log max min parseint pow signum sum",
    "regexes": "regex regexall replace",
    "strings": "chomp endswith format formatlist indent join lower sort split startswith strcontains strrev substr title trim trimprefix trimspace trimsuffix upper",
    "templating": "templatefile templatestring",
}

_HOME: Final = {name: family for family, names in FAMILIES.items() for name in names.split()}
_LOADED: Final[dict[str, Function]] = {one.name: one for one in _OTHERS}


def function(name: str) -> Function | None:
    """The function of that name; None where Terraform has none."""
    if name not in _LOADED and name in _HOME:
        module = import_module(f"{__package__}.{_HOME[name]}")
        _LOADED.update({one.name: one for one in module.FUNCTIONS})
    return _LOADED.get(name)


def names() -> list[str]:
    """The names of all functions."""
    return sorted({*_HOME, *(one.name for one in _OTHERS)})
