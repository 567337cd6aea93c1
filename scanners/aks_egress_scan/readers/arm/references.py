"""`reference()`, `resourceId()` and their kin: values that lead to resources of the deployment.

What a resource declares is what `reference()` will answer for it; what only Azure can tell stays unknown
and refers to the resource, so that whoever reads it can follow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Final

from aks_egress.arm.ids import BadResourceIdError, ResourceId, parse_id
from aks_egress.values import Reference, Step, Unknown, Value
from aks_egress_scan.readers.arm.instances import Instance
from aks_egress_scan.readers.arm.kinds import DEPLOYMENTS
from aks_egress_scan.readers.arm.template import Template
from aks_egress_scan.readers.arm.world import Pointer
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError
from aks_egress_scan.readers.expressions.unsettled import (
    Runtime,
    Unsettled,
    opened,
    promised,
    segments,
    spelled,
    unsettled,
)

_TURN: Final = re.compile(r"(?P<symbol>[^\[\]]+)\[(?P<turn>\d{1,6})\]")


def resource_id(name: str, scope: str, kind: Value, names: Sequence[Value], given: Sequence[Value]) -> Value:
    """The id of a resource of type `kind` in a scope; `given` are all arguments, for the reason if it is unknown."""
    if isinstance(kind, Unknown):
        return unsettled(name, given)
    spelled_names = [one for value in names for one in segments(spelled(value))]
    if any(value is None or value == "" for value in names):
        raise FunctionProblemError(f"`{name}` is given an empty name")
    try:
        found = ResourceId.of(scope, spelled(kind).strip("/"), *spelled_names)
    except (BadResourceIdError, ValueError):
        if any(isinstance(value, Unknown) for value in given):
            return unsettled(name, given)
        raise FunctionProblemError(f"`{name}`: the names do not fit the type `{spelled(kind)}`") from None
    return promised(found, unsettled(name, given))


def find(template: Template, target: Value) -> tuple[Instance | None, ResourceId | None]:
    """The resource that an argument of `reference()` names: a symbolic name, a name, or an id."""
    text = spelled(target)
    if not text.startswith("/"):
        return _by_name(template, text), None
    wanted = parse_id(text)
    if wanted is None:
        return None, None
    own = template.instances_at_hand
    same = [one for one in own if one.id == wanted]
    known = template.world.instances.get(wanted.key)
    # what is deployed says more than what is only referred to
    rows = [one for one in (*same, known) if one is not None]
    if rows:
        return next((one for one in rows if not one.existing), rows[0]), wanted
    near = [one for one in own if one.id.could_be(wanted)]
    return (near[0] if len(near) == 1 else None), wanted


def _by_name(template: Template, text: str) -> Instance | None:
    turn = _TURN.fullmatch(text)
    symbol = turn["symbol"] if turn else text
    rows = symbolic(template, symbol)
    if turn and rows:  # a condition may have left some turns of the loop out
        return next((one for one in rows if one.context.copies.get("") == int(turn["turn"])), None)
    if rows and not turn:
        return _deployed(rows[0])
    name = "/".join(segments(text)).casefold()
    named = [one for one in template.instances_at_hand if "/".join(one.id.names).casefold() == name]
    if not named and template.parent is not None and template.outer is not None:
        return _by_name(template.parent, text)
    return named[0] if len(named) == 1 else None


def symbolic(template: Template, symbol: str) -> list[Instance]:
    """The resources declared under a symbolic name."""
    wanted = symbol.casefold()
    return [one for one in template.symbolic(symbol) if one.symbol.casefold() == wanted] if symbol else []


def _deployed(one: Instance) -> Instance:
    """The resource that a deployment around or beside makes, for one that is only referred to."""
    known = one.template.world.instances.get(one.id.key) if one.existing else None
    return one if known is None else known


def referenced(template: Template, target: Value, *, full: bool) -> Value:
    """The answer of `reference()`."""
    path: Pointer = () if full else ("properties",)
    instance, wanted = find(template, target)
    if instance is not None:
        return _at(instance, path)
    if wanted is not None and wanted.kind != DEPLOYMENTS:
        named = promised(wanted, Unsettled(""))
        said = f"`{'/'.join(wanted.names)}` ({wanted.type}) is not in this template"
        return _later(said, spelled(named), path)
    said = f"`reference()` of `{spelled(target)}` leads to nothing in this template"
    return Runtime(
        said, spelling=opened("reference", (target,)), step=lambda key: _nothing(said, target, (key,))
    )


def _nothing(said: str, target: Value, path: Pointer) -> Value:
    text = opened("reference", (target, *map(str, path)))
    return Runtime(said, spelling=text, step=lambda key: _nothing(said, target, (*path, key)))


def _later(said: str, wanted: str, path: Pointer) -> Runtime:
    """A part of a resource that is told at run time only."""
    text = opened("reference", (wanted, *map(str, path)))
    refers = (Reference(str(wanted), path),)
    return Runtime(said, refers_to=refers, spelling=text, step=lambda key: _later(said, wanted, (*path, key)))


def _at(instance: Instance, path: Pointer) -> Value:
    """The part of a resource at a path: as declared, where that says it."""
    if instance.kind == DEPLOYMENTS and _leads_to_output(path):
        return _output(instance, str(path[2]))
    found = instance.declared(path) if path and instance.kind != DEPLOYMENTS else None
    if found is not None and _says_it(found):
        return found
    refers = (Reference(instance.id.spelling, path),)
    text = opened("reference", (instance.id.spelling, *map(str, path)))
    said = (
        found.why
        if isinstance(found, Unknown)
        else f"`{'/'.join(instance.id.names)}` tells this only once it is deployed"
    )
    declared = None if isinstance(found, Unknown) else found
    return Runtime(
        said, instance.origin, refers, spelling=text, step=partial(_next, instance, path), declared=declared
    )


def _says_it(found: Value) -> bool:
    """Whether a declared value is what Azure will answer; within objects Azure adds parts of its own."""
    if isinstance(found, list):
        return bool(found) and not any(isinstance(one, list | dict | Unknown) for one in found)
    return bool(found.refers_to) if isinstance(found, Unknown) else not isinstance(found, dict)


def _next(instance: Instance, path: Pointer, key: Step) -> Value:
    return _at(instance, (*path, key))


def _leads_to_output(path: Pointer) -> bool:
    folded = [str(step).casefold() for step in path]
    return folded[:2] == ["properties", "outputs"] and len(folded) == 4 and folded[3] == "value"


def _output(instance: Instance, name: str) -> Value:
    """An output of a deployment."""
    template = instance.deployment
    if template is not None:
        return template.output(name)
    why = f"deployment `{instance.id.name}` could not be read, so its outputs are not known"
    return Unsettled(why, instance.origin, spelling=opened("reference", (instance.id.name, name)))
