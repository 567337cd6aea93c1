"""Deployments within a deployment: inline templates in inner and outer scope, and templates on disk beside this one.

What stands elsewhere (template specs, addresses) cannot be read here; it is named and may hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from aks_egress.values import Unknown, Value, get
from aks_egress_scan.readers.arm.instances import Instance, deployment_target
from aks_egress_scan.readers.arm.template import Given, Template
from aks_egress_scan.readers.arm.world import Linked, Pointer
from aks_egress_scan.readers.expressions.unsettled import Unsettled, spelled

DEPTH_LIMIT: Final = 24
TEMPLATE_LINK: Final = "{template}"
"""How the address of the root template is spelled: what is linked relative to it stands beside it."""


def nested_template(instance: Instance) -> Template | None:
    """The template of a deployment resource; None, and a note, where it is not at hand."""
    outside = instance.template
    if outside.depth >= DEPTH_LIMIT:
        said = f"deployments are nested deeper than {DEPTH_LIMIT} levels"
        raise outside.world.refuse(said, instance.origin)
    properties = get(instance.data, "properties")
    place = (*instance.pointer, "properties")
    if isinstance(properties, str):
        properties = outside.settler.value(properties, place, instance.context)
    inline = get(properties, "template")
    if isinstance(inline, str):
        # what is left in it after this evaluation is the nested deployment's own, whatever the scope says
        value = outside.settler.value(inline, (*place, "template"), instance.context)
        if isinstance(value, dict):
            own = Linked(value, outside.file)
            return _template(instance, properties, own, (*place, "template"), inner=True)
    elif isinstance(inline, dict):
        return _inline(instance, properties, inline, (*place, "template"))
    if inline is None and isinstance(get(properties, "templateLink"), dict):
        linked = _linked(instance, properties, place)
        if linked is not None:
            return _template(instance, properties, linked, (), inner=True)
        return None
    _miss(instance, "its template is not known" if inline is not None else "it names no template")
    return None


def _inline(instance: Instance, properties: Any, inline: dict[str, Any], pointer: Pointer) -> Template:
    scope = get(get(properties, "expressionEvaluationOptions"), "scope")
    inner = isinstance(scope, str) and scope.casefold() == "inner"
    return _template(instance, properties, Linked(inline, instance.template.file), pointer, inner=inner)


def _template(
    instance: Instance, properties: Any, linked: Linked, pointer: Pointer, *, inner: bool
) -> Template:
    outside = instance.template
    return Template(
        world=outside.world,
        file=linked.file,
        data=linked.template,
        pointer=pointer,
        target=deployment_target(outside, instance.data, instance.pointer, instance.context),
        name=instance.id.name,
        given=_given(instance, properties),
        holder=instance,
        outer=None if inner else instance.context,
        depth=outside.depth + 1,
        uncertain=instance.uncertain,
    )


def _given(instance: Instance, properties: Any) -> Given:
    """The parameters that a deployment resource hands in, each evaluated around it when asked for."""
    place = (*instance.pointer, "properties", "parameters")
    found = get(properties, "parameters")
    if isinstance(found, str):
        found = instance.template.settler.value(found, place, instance.context)
    given: dict[str, Callable[[], Value]] = {}
    for name, row in found.items() if isinstance(found, dict) else ():
        given[name.casefold()] = _thunk(instance, row, (*place, name))
    link = get(properties, "parametersLink")
    if isinstance(found, Unknown) or isinstance(link, dict):
        reason = Unknown(
            "the parameters of this deployment stand elsewhere", instance.template.file.place(place)
        )
        return _Elsewhere(given, found if isinstance(found, Unknown) else reason)
    return given


class _Elsewhere(dict[str, Callable[[], Value]]):
    """Parameters of which only some are at hand."""

    def __init__(self, given: Given, reason: Unknown) -> None:
        super().__init__(given)
        self.reason = reason

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ARG002 - dict's own
        """Every parameter has a value; of those elsewhere it is not known."""
        reason = self.reason
        return super().get(key) or (lambda: Unsettled(reason.why, reason.origin, spelling=f"{{{key}}}"))


def _thunk(instance: Instance, row: Any, pointer: Pointer) -> Callable[[], Value]:
    template, context = instance.template, instance.context

    def value() -> Value:
        if get(row, "reference") is not None:
            return Unsettled(
                "it is a secret in a key vault", template.file.place(pointer), spelling="{secret}"
            )
        found = template.settler.value(row, pointer, context)
        if isinstance(found, Unknown):
            return found
        given = get(found, "value")
        return given if given is not None else get(found, "expression")

    return value


_TAIL: Final = re.compile(r"\{template\}/+(?P<path>[^{}?#]+?)(?:\?[^{}]*)?(?:\{[^{}]*\})?")


def _linked(instance: Instance, properties: Any, place: Pointer) -> Linked | None:
    outside = instance.template
    link = outside.settler.value(get(properties, "templateLink"), (*place, "templateLink"), instance.context)
    relative, uri, spec = get(link, "relativePath"), get(link, "uri"), get(link, "id")
    path = relative if isinstance(relative, str) else None
    if path is None and uri is not None:
        found = _TAIL.fullmatch(spelled(uri))
        path = found["path"] if found else None
    linked = outside.file.sibling(path) if path else None
    if linked is not None:
        return linked
    what = path or spelled(uri if uri is not None else spec if spec is not None else relative)
    where = "is not on disk beside this template" if path else "is not on disk"
    kind = "the template spec" if uri is None and path is None else "the linked template"
    _miss(instance, f"{kind} `{what[:200]}` {where}")
    return None


def _miss(instance: Instance, why: str) -> None:
    said = f"deployment `{instance.id.name}` cannot be read: {why}"
    settle = "put the template beside this one, or compile it into this one"
    instance.template.world.miss("*", Unknown(said, instance.origin, settle=settle))
