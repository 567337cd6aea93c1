"""Parameters files of Bicep (`.bicepparam`): what they assign, evaluated as the compiler evaluates it."""

from __future__ import annotations

from typing import Any, Final

from aks_egress.values import Origin, Unknown, Value
from aks_egress_scan.readers.arm.parameters import given_values
from aks_egress_scan.readers.arm.target import Target
from aks_egress_scan.readers.arm.template import Template as Deployment
from aks_egress_scan.readers.arm.world import File, Pointer, RefusedError, World
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.bicep_lang import syntax
from aks_egress_scan.readers.bicep_lang.template import Template
from aks_egress_scan.readers.bicep_lang.units import Files, Unit
from aks_egress_scan.readers.expressions.limits import BoundsError
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError

_MOST_BASES = 16


ENDING: Final = ".bicepparam"


def given(source: Source, parameters: Parameters, template: dict[str, Any]) -> dict[str, Value]:
    """Values by parameter name for a template of that source: of the parameters files for it, then single ones."""
    found: dict[str, Value] = {}
    for file in parameters.files:
        if not file.path.casefold().endswith(ENDING):
            found |= given_values(Parameters((file,)), template)
        elif is_for(file, source):
            found |= assigned(file)
    return found | given_values(Parameters(values=parameters.values), template)


def using(source: Source) -> Source | None:
    """The template that a parameters file is for, None where it names none that is at hand."""
    unit = Files().unit(source)
    path = unit.using.path.literal if unit.using is not None and unit.using.path is not None else None
    return source.sibling(path) if path else None


def used_path(source: Source) -> str:
    """How a parameters file spells the template that it is for; empty where it is for any."""
    unit = Files().unit(source)
    return (unit.using.path.literal or "") if unit.using is not None and unit.using.path is not None else ""


def is_for(source: Source, template: Source) -> bool:
    """Whether a parameters file is for that template, or for any."""
    target = using(source)
    return not used_path(source) if target is None else target.path == template.path


def assigned(source: Source) -> dict[str, Value]:
    """The values by lower-case parameter name, those of a file that it extends under its own.

    Raises MalformedError.
    """
    files = Files()
    return _assigned(files.unit(source), files, 0)


def _assigned(unit: Unit, files: Files, depth: int) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if unit.extends is not None and unit.extends.path is not None:
        base = files.near(unit, unit.extends.path.literal or "")
        if base is None:
            unit.fail("the file that this one extends is not among the inputs", unit.extends.at)
        if depth >= _MOST_BASES:
            unit.fail(f"files extend each other more than {_MOST_BASES} times", unit.extends.at)
        found |= _assigned(base, files, depth + 1)
    return found | _own(unit, files)


def _own(unit: Unit, files: Files) -> dict[str, Value]:
    template = Template(unit, files)
    data = template.lowered()

    def place(pointer: Pointer) -> Origin:
        return template.place.origin(pointer)

    world = World(unit.path, lambda origin: origin.line)
    name = Unknown("the name of the deployment is not in the file")
    deployment = Deployment(world, File(unit.path, place, lambda _: None), data, (), Target(), name, {})
    out: dict[str, Value] = {}
    for statement in unit.file:
        if isinstance(statement, syntax.Parameter):
            out[statement.name.casefold()] = _value(deployment, statement, unit)
    return out


def _value(deployment: Deployment, statement: syntax.Parameter, unit: Unit) -> Value:
    try:
        return deployment.parameter(statement.name)
    except (RefusedError, BoundsError, FunctionProblemError) as problem:
        raise MalformedError(str(problem), unit.path, unit.line(statement.at)) from None
