"""What the azurerm provider's settings tell: the cloud, and the subscription of each resource."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aks_egress.arm.ids import OPEN_SUBSCRIPTION
from aks_egress_scan.readers.hcl.evaluator import settled
from aks_egress_scan.readers.hcl.module import Module
from aks_egress_scan.readers.hcl.syntax import Attribute, Block, Literal, Name, Node, Object, Setting

_CLOUDS: Final = {"public": "public", "china": "china", "usgovernment": "usgov"}
_AZURE: Final = ("azurerm", "azapi")


def cloud_of(root: Module) -> str:
    """The cloud that the azurerm provider names, empty where it names none."""
    for block in root.config.providers:
        setting = block.body.settings.get("environment")
        if block.labels == ("azurerm",) and setting is not None:
            value = settled(setting.expression, root.scope(setting.path))
            if isinstance(value, str):
                return _CLOUDS.get(value.casefold(), "")
    return ""


_CONSTRAINT: Final = re.compile(r"(=|!=|>=|<=|>|<|~>)?\s*v?(\d+)((?:\.\d+)*)")
_LOCKED: Final = re.compile(r'hashicorp/azurerm"\s*\{[^}]*?\bversion\s*=\s*"(\d+)\.')
NEWEST: Final = 4


def azurerm_major(root: Module) -> int:
    """The major version of the azurerm provider: as locked, else the newest that the constraints allow."""
    lock = root.world.disk.read(".terraform.lock.hcl")
    locked = _LOCKED.search(lock.decode("utf-8", "replace")) if lock else None
    if locked:
        return int(locked[1])
    return min((_highest(one) for one in _constraints(root)), default=NEWEST)


def _constraints(root: Module) -> Iterator[str]:
    for block in root.config.settings:
        for required in block.body.of_type("required_providers"):
            setting = required.body.settings.get("azurerm")
            value = root.bare(setting.expression, setting.path) if setting is not None else None
            given = value.get("version") if isinstance(value, dict) else value
            if isinstance(given, str):
                yield given
    for block in root.config.providers:
        setting = block.body.settings.get("version")
        value = root.bare(setting.expression, setting.path) if setting is not None else None
        if block.labels == ("azurerm",) and isinstance(value, str):
            yield value


def _highest(constraint: str) -> int:
    """The highest major version that a constraint allows."""
    highest = NEWEST
    for part in constraint.split(","):
        found = _CONSTRAINT.fullmatch(part.strip())
        if found is None:
            continue
        operator, major, rest = found[1] or "=", int(found[2]), found[3].replace(".0", "")
        if operator in ("=", "<=") or (operator == "~>" and found[3]) or (operator == "<" and rest):
            highest = min(highest, major)
        elif operator == "<":
            highest = min(highest, major - 1)
    return highest


def subscription_of(module: Module, block: Block) -> str:
    """The subscription that a resource is deployed to; open where the configuration does not say."""
    kind = block.labels[0].split("_")[0] if block.labels else ""
    chosen = block.body.settings.get("provider")
    name = kind if chosen is None else _reference(chosen.expression)
    return _subscription(module, name)


def _subscription(module: Module, name: str) -> str:
    """The subscription of a provider (`azurerm`, `azurerm.hub`) as a module sees it."""
    for block in module.config.providers:
        alias = block.body.settings.get("alias")
        spelled = ".".join((*block.labels, *([_text(alias)] if alias is not None else [])))
        setting = block.body.settings.get("subscription_id")
        if spelled == name and setting is not None:
            value = settled(setting.expression, module.scope(setting.path))
            return value if isinstance(value, str) and value else OPEN_SUBSCRIPTION
    if module.caller is None:
        return OPEN_SUBSCRIPTION
    parent, block = module.caller
    passed = block.body.settings.get("providers")
    if passed is not None and isinstance(passed.expression, Object):
        for key, given in passed.expression.entries:
            if _reference(key) == name:
                return _subscription(parent, _reference(given))
    return _subscription(parent, name) if "." not in name else OPEN_SUBSCRIPTION


def _text(setting: Setting) -> str:
    return _reference(setting.expression)


def _reference(node: Node) -> str:
    """`azurerm.hub` as text, however it is written."""
    match node:
        case Literal(value=str(value)):
            return value.removeprefix("${").removesuffix("}")
        case Name(name=name):
            return name
        case Attribute(of=of, name=name):
            return f"{_reference(of)}.{name}"
        case _:
            return ""
