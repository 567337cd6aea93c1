"""Expanding a template: from its parsed JSON to a document of resources in ARM's shape.

JSON templates and Bicep (lowered to the JSON that its compiler writes) meet here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aks_egress.arm.resources import Document, Kind, Resource
from aks_egress.values import Origin, Value, get
from aks_egress_scan.readers.arm.instances import RESOURCE_GROUPS, Instance
from aks_egress_scan.readers.arm.kinds import DEPLOYMENTS
from aks_egress_scan.readers.arm.repeats import without_repeats
from aks_egress_scan.readers.arm.target import of_schema, part
from aks_egress_scan.readers.arm.template import Template
from aks_egress_scan.readers.arm.world import File, RefusedError, World
from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.readers.expressions.limits import BoundsError
from aks_egress_scan.readers.expressions.unsettled import Unsettled, plain


def expand(
    template: dict[str, Any],
    *,
    file: File,
    parameters: Mapping[str, Value] | None = None,
    options: Mapping[str, Value] | None = None,
    kind: Kind = Kind.ARM_TEMPLATE,
    locate: Callable[[Origin], int | None] | None = None,
) -> list[Document]:
    """The documents of a template: one, with the resources of all deployments nested in it.

    `parameters` are values by parameter name (any case), which may be unknown.  `options` say where it
    is deployed: `resourcegroup().location`, `resourcegroup().name`, `subscription().subscriptionid`,
    `subscription().tenantid`, `deployment().location`, `environment().name`, in lower case.

    `file.place` turns a pointer into `template` into an origin.  The parts of a resource's body are
    `place(pointer of the resource).child(*path)`, so an origin without a line must keep the pointer;
    `locate` turns such an origin into a line, for errors and for the document.

    Raises MalformedError for a template that ARM would refuse whatever its parameters are.
    """
    world = World(file.path, locate or (lambda origin: origin.line), options or {})
    resources = _resources(_root(world, file, template, parameters or {}))
    notices, unread = tuple(world.notices), dict(world.unread)
    return [Document(file.path, kind, resources, notices=notices, unread=unread, locate=world.locate)]


def _resources(root: Template) -> tuple[Resource, ...]:
    path = root.world.path
    try:
        return tuple(_resource(one) for one in without_repeats(_all(root)))
    except (RefusedError, BoundsError) as problem:
        raise MalformedError(str(problem), path) from None
    except RecursionError:
        raise MalformedError("the template is nested too deeply to be evaluated", path) from None


def _root(world: World, file: File, template: dict[str, Any], parameters: Mapping[str, Value]) -> Template:
    schema = get(template, "$schema")
    target = of_schema(schema if isinstance(schema, str) else "")
    subscription, group = world.option("subscription().subscriptionId"), world.option("resourceGroup().name")
    if target.subscription and subscription is not None:
        target = type(target)(part(subscription), target.group)
    if target.group and group is not None:
        target = type(target)(target.subscription, part(group))
    given = {name.casefold(): _constant(value) for name, value in parameters.items()}
    name = Unsettled("the name of the deployment is not in the template", spelling="{deployment}")
    return Template(world, file, template, (), target, name, given)


def _constant(value: Value) -> Callable[[], Value]:
    return lambda: value


def _all(template: Template) -> Iterator[Instance]:
    """Every resource of a deployment and of those nested in it, in the order written."""
    for instance in template.instances:
        if instance.kind != DEPLOYMENTS:
            yield instance
        elif not instance.existing and instance.deployment is not None:
            yield from _all(instance.deployment)


def _resource(instance: Instance) -> Resource:
    held = {} if instance.existing or instance.kind == RESOURCE_GROUPS else instance.body
    body = {key: plain(value) for key, value in held.items()}
    return Resource(
        instance.id,
        instance.origin,
        body,
        instance.places,
        api_version=instance.api_version,
        existing=instance.existing,
        uncertain=instance.uncertain,
    )
