"""Resources that a deployment declares more than once: the last one deployed is what will be there.

Templates do so on purpose: a network first, then the same network with its security groups.  Where
`dependsOn` does not say which comes last and they differ, nobody can say what will be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aks_egress.values import Unknown, get
from aks_egress_scan.readers.arm.instances import RESOURCE_GROUPS, Instance
from aks_egress_scan.readers.arm.template import Template
from aks_egress_scan.readers.expressions.unsettled import spelled


def without_repeats(instances: Iterable[Instance]) -> list[Instance]:
    """Each resource once, in the order of its last declaration; `existing` ones only where nothing declares them."""
    groups: dict[str, list[Instance]] = {}
    for one in instances:
        rows = groups.setdefault(one.id.key, [])
        rows.append(one)
    kept: list[Instance] = []
    for rows in groups.values():
        declared = [one for one in rows if not one.existing]
        kept.append(_last(declared) if declared else rows[0])
    return kept


def _last(rows: Sequence[Instance]) -> Instance:
    chosen = rows[0]
    for one in rows[1:]:
        chosen = _later(chosen, one)
    return chosen


def _later(first: Instance, second: Instance) -> Instance:
    if first.kind == RESOURCE_GROUPS or first.body == second.body:
        return first if first.uncertain is None else second
    if second.uncertain is None and _runs_after(second, first):
        return second
    if first.uncertain is None and _runs_after(first, second):
        return first
    name = "/".join(second.id.names)
    said = f"`{name}` ({second.id.type}) is declared more than once, and nothing says which comes last"
    second.uncertain = Unknown(
        said, second.origin, settle="declare it once, or say with `dependsOn` which comes last"
    )
    second.template.world.notice("declared-twice", said, second.origin)
    return second


def _runs_after(later: Instance, earlier: Instance) -> bool:
    """Whether `dependsOn` says so, for the deployments that they come in where they share none."""
    above, below = _chain(earlier), _chain(later)
    for template, first in above.items():
        second = below.get(template)
        if second is not None:
            return first is not second and _reaches(template, second, first)
    return False


def _chain(instance: Instance) -> dict[Template, Instance]:
    """The templates around an instance, inmost first, with the resource of each that leads to it."""
    found = {instance.template: instance}
    template = instance.template
    while template.holder is not None:
        found[template.holder.template] = template.holder
        template = template.holder.template
    return found


def _reaches(template: Template, start: Instance, goal: Instance) -> bool:
    waiting, seen = [start], {id(start)}
    while waiting:
        for one in _dependencies(template, waiting.pop()):
            if one is goal:
                return True
            if id(one) not in seen:
                seen.add(id(one))
                waiting.append(one)
    return False


def _dependencies(template: Template, instance: Instance) -> list[Instance]:
    """The resources of the same template that must be there before this one."""
    node = get(instance.data, "dependsOn")
    rows = template.settler.value(node, (*instance.pointer, "dependsOn"), instance.context)
    wanted = {spelled(row).strip("/").casefold() for row in (rows if isinstance(rows, list) else ())}
    return [one for one in template.instances if wanted and not wanted.isdisjoint(_names(one))]


def _names(instance: Instance) -> set[str]:
    """What `dependsOn` may call a resource: its id, its symbolic name, its name, its loop, its type and name."""
    name = "/".join(instance.id.names).casefold()
    loop = get(get(instance.data, "copy"), "name")
    names = {instance.id.key.strip("/"), instance.symbol.casefold(), name, str(loop).casefold()}
    return (names | {instance.id.key.rpartition("/providers/")[2], f"{instance.kind}/{name}"}) - {"", "none"}
