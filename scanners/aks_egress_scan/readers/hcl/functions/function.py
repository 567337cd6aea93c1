"""What a function of the table is: its parameters, and how it deals with null and unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from aks_egress.records import record
from aks_egress.values import Unknown
from aks_egress_scan.readers.hcl.terms import ProblemError, Term, blurred, first_unknown
from aks_egress_scan.readers.hcl.types import ANY, BOOL, NUMBER, STRING, Collection, Type, convert


class Files(Protocol):
    """The files that functions may read, by paths as Terraform resolves them (from the root module)."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, None where it cannot be had."""

    def names(self, folder: str) -> list[str] | None:
        """The paths of all files below a folder, relative to it; None where nobody can list it."""


class Calling(Protocol):
    """What a function sees of where it is called: its file, and the files around."""

    @property
    def files(self) -> Files:
        """The files that may be read."""

    @property
    def path(self) -> str:
        """The file of the call."""


Body = Callable[..., Any]

#: short names of parameter types, as the tables use them
_TYPES: Final[dict[str, Type]] = {
    "string": STRING,
    "number": NUMBER,
    "bool": BOOL,
    "any": ANY,
    "strings": Collection("list", STRING),
    "numbers": Collection("list", NUMBER),
    "list": Collection("list", ANY),
    "set": Collection("set", ANY),
    "map": Collection("map", ANY),
}


@record(frozen=True, slots=True)
class Function:
    """One function: `body` gets converted arguments, and the call where `scoped`.

    `parameters` are names of types; a last one with `...` repeats, one with `?` may be left out.
    `keeps` functions see unknowns inside their arguments (never an unknown argument itself, unless
    `whole`); for all others one unknown makes the result unknown.  `nullable` accept null.
    """

    name: str
    body: Body
    parameters: tuple[str, ...]
    keeps: bool = False
    whole: bool = False
    nullable: bool = False
    scoped: bool = False

    def call(self, arguments: list[Term], calling: Calling) -> Term:
        """The result; raises ProblemError for arguments that Terraform would refuse."""
        kinds = self._kinds(len(arguments))
        unknown = self._unknown(arguments)
        if unknown is not None:
            return blurred(unknown)
        given: list[Term] = []
        for value, kind in zip(arguments, kinds, strict=True):
            if value is None and not self.nullable:
                raise ProblemError(f"`{self.name}` does not take null")
            given.append(value if kind == ANY else convert(value, kind))
        unknown = self._unknown(given)
        if unknown is not None:
            return blurred(unknown)
        found: Term = self.body(calling, *given) if self.scoped else self.body(*given)
        return found

    def _unknown(self, arguments: list[Term]) -> Unknown | None:
        if self.whole:
            return None
        if self.keeps:
            return next((one for one in arguments if isinstance(one, Unknown)), None)
        return first_unknown(arguments)

    def _kinds(self, count: int) -> list[Type]:
        names = list(self.parameters)
        least = sum(not name.endswith(("?", "...")) for name in names)
        repeats = bool(names) and names[-1].endswith("...")
        if count < least or (count > len(names) and not repeats):
            raise ProblemError(f"`{self.name}` does not take {count} argument{'' if count == 1 else 's'}")
        if repeats:
            names += [names[-1]] * (count - len(names))
        return [_TYPES[name.rstrip("?.")] for name in names[:count]]
