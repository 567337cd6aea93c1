"""`templatefile` and `templatestring`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from aks_egress.values import Unknown
from aks_egress_scan.readers.hcl.functions.files import text_of
from aks_egress_scan.readers.hcl.functions.function import Calling, Function
from aks_egress_scan.readers.hcl.terms import ProblemError, Term, kind_of

if TYPE_CHECKING:
    from aks_egress_scan.readers.hcl.evaluator import Scope


def _templatefile(calling: Calling, path: str, names: Term) -> Term:
    return _rendered(calling, text_of(calling, path), names, path)


def _templatestring(calling: Calling, text: str, names: Term) -> Term:
    return _rendered(calling, text, names, calling.path)


def _rendered(calling: Calling, text: str, names: Term, path: str) -> Term:
    from aks_egress_scan.readers.base import MalformedError
    from aks_egress_scan.readers.hcl.evaluator import Scope, evaluate
    from aks_egress_scan.readers.hcl.parser import parse_template

    if isinstance(names, Unknown):
        return names
    if not isinstance(names, dict):
        raise ProblemError(f"{kind_of(names)} stands where the names of a template are expected")
    try:
        node = parse_template(path, text)
    except MalformedError as error:
        raise ProblemError(error.message) from None
    outer = cast("Scope", calling)
    return evaluate(node, Scope(_Nothing(), path, outer.budget, outer.files, names))


class _Nothing:
    """A template sees the names it is given, and no others."""

    def root(self, name: str) -> Term:
        """Nothing."""
        raise ProblemError(f"the template is not given `{name}`")


FUNCTIONS: Final = (
    Function("templatefile", _templatefile, ("string", "any"), keeps=True, scoped=True),
    Function("templatestring", _templatestring, ("string", "any"), keeps=True, scoped=True),
)
