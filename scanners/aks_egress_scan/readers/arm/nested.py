"""Deployments within a deployment: inline templates in inner and outer scope, and templates on disk beside this one.

What stands elsewhere (template specs, addresses) cannot be read here; it is named and may hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from aks_egress.values import Unknown, Value, get
from aks_egress_scan.readers.arm.instances import Instance, deployment_target
from aks_egress_scan.readers.arm.template import Given, Template
from aks_egress_scan.readers.arm.world import File, Linked, Pointer
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


def _linked(instance: Instance, properties: Any, place: Pointer) -> Linked | None:
    outside = instance.template
    link = outside.settler.value(get(properties, "templateLink"), (*place, "templateLink"), instance.context)
    relative, uri, spec = get(link, "relativePath"), get(link, "uri"), get(link, "id")
    if isinstance(relative, str):
        what, found = f"template `{relative}`", outside.file.sibling(relative)
    elif uri is not None:
        what, found = f"template `{spelled(uri)[:200]}`", _by_address(instance, spelled(uri))
    else:
        what, found = f"template spec `{spelled(spec)[:200]}`", None
    if found is None:
        _miss(instance, f"the linked {what} is not on disk beside this template")
    return found


# compiled when first used: most templates link none
_TAIL: Final = r"\{template\}/+(?P<path>[^{}?#]+?)(?:\?[^{}]*)?(?:\{[^{}]*\})?"
_ADDRESS: Final = r"(?i:https)://(?P<path>[^{}?#]+?)(?:\?[^{}]*)?(?:\{[^{}]*\})?"


def _by_address(instance: Instance, address: str) -> Linked | None:
    """A linked template on disk: certain where the address is relative to the root template's own, else the
    file whose folder has the name that the address has, which is said.
    """
    file = instance.template.file
    found = re.fullmatch(_TAIL, address)
    if found is not None:
        return _root_file(instance).sibling(found["path"])
    known = re.fullmatch(_ADDRESS, address)
    for name in _beside(file.path, known["path"] if known else ""):
        linked = file.sibling(name)
        if linked is not None:
            said = f"the linked template `{address[:200]}` is taken from `{linked.file.path}` on disk"
            instance.template.world.notice("linked-on-disk", said, instance.origin)
            return linked
    return None


#: folders that every second repository has say nothing by themselves
_COMMON: Final = frozenset(
    (
        "arm",
        "deploy",
        "infra",
        "linked",
        "linkedtemplates",
        "modules",
        "nested",
        "nestedtemplates",
        "shared",
        "src",
        "templates",
    )
)


def _beside(path: str, address: str) -> Iterator[str]:
    """Where a file of an address would stand, as seen from a file whose folders have names of the address."""
    own, other = path.replace("\\", "/").split("/")[:-1], address.split("/")
    for i in range(len(own) - 1, -1, -1):
        if not own[i] or own[i] not in other[1:-1]:
            continue
        at = len(other) - 1 - other[::-1].index(own[i])
        if own[i].casefold() not in _COMMON or (i > 0 and own[i - 1] == other[at - 1]):
            yield "/".join([".."] * (len(own) - 1 - i) + other[at + 1 :])


def _root_file(instance: Instance) -> File:
    template = instance.template
    while template.parent is not None:
        template = template.parent
    return template.file


def _miss(instance: Instance, why: str) -> None:
    said = f"deployment `{instance.id.name}` cannot be read: {why}"
    settle = "put the template beside this one, or compile it into this one"
    instance.template.world.miss("*", Unknown(said, instance.origin, settle=settle))
