"""Pulumi YAML programs: `Pulumi.yaml` with its resources, and the configuration of a stack with `--param`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from aks_egress.arm.resources import Document, Kind
from aks_egress.values import Origin, Unknown, Value
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.pulumi.building import built
from aks_egress_scan.readers.pulumi.identity import HARMLESS
from aks_egress_scan.readers.pulumi.program import Program
from aks_egress_scan.readers.pulumi.registered import Registered, label_of
from aks_egress_scan.readers.pulumi.yaml_text import YamlText, load_yaml

_NAMES: Final = ("pulumi.yaml", "pulumi.yml")
_RUNTIME: Final = re.compile(rb"^runtime:\s*(?:\{\s*name:\s*)?(?:\n\s+name:\s*)?[\"']?yaml\b", re.MULTILINE)
_RESOURCES: Final = re.compile(rb"^resources:", re.MULTILINE)
_SETTINGS: Final = re.compile(r"(?:^|/)pulumi\.[^/]+\.ya?ml$")
_OTHERS: Final = frozenset({"command", "std", "aws", "gcp", "github", "cloudflare", "helm", "docker-build"})

Table = dict[str, Value]


class PulumiYaml:
    """Reads programs in Pulumi YAML."""

    def claims(self, source: Source) -> bool:
        """A project file whose runtime is YAML and that has resources."""
        name = source.path.casefold().rpartition("/")[2]
        return name in _NAMES and bool(_RUNTIME.search(source.data)) and bool(_RESOURCES.search(source.data))

    def read(self, source: Source, parameters: Parameters) -> list[Document]:
        """The one document of a program."""
        text = load_yaml(source)
        whole = _table(text, text.value, ())
        project = str(whole.get("name") or "project")
        stack, given = _given(parameters, project)
        program, rows = _program(text, whole, project, stack, given)
        made = built([_registered(text, program, name, rows[name]) for name in rows])
        unread = {**made.unread, **_components(text, rows)}
        return [
            Document(
                text.path,
                Kind.PULUMI_PREVIEW,
                tuple(made.resources),
                tuple(made.notices),
                unread=unread,
                cloud=made.cloud,
                locate=lambda origin: origin.line or text.line_of(origin.pointer),
            )
        ]


READER: Final = PulumiYaml()


def is_settings(path: str) -> bool:
    """Whether a file is the configuration of a stack by its name, `Pulumi.dev.yaml`."""
    return bool(_SETTINGS.search(path.replace(os.sep, "/").casefold()))


def _program(
    text: YamlText, whole: Table, project: str, stack: str, given: Mapping[str, Value]
) -> tuple[Program, dict[str, Table]]:
    resources = _table(text, whole.get("resources"), ("resources",))
    rows = {name: _table(text, row, ("resources", name)) for name, row in resources.items()}
    urns = {name: _urn(text, name, row, project, stack) for name, row in rows.items()}
    settled: dict[str, Mapping[str, Value]] = {}

    def properties(name: str) -> Mapping[str, Value]:
        if name not in settled:
            place = ("resources", name, "properties")
            value = program.settled(_table(text, rows[name].get("properties"), place), place)
            settled[name] = value if isinstance(value, dict) else {}
        return settled[name]

    program = Program(
        text.path,
        _settings(text, whole, project, given),
        _table(text, whole.get("variables"), ("variables",)),
        {"project": project, "stack": stack},
        urns,
        properties,
    )
    return program, rows


def _urn(text: YamlText, name: str, row: Table, project: str, stack: str) -> str:
    kind = row.get("type")
    if not isinstance(kind, str) or not kind:
        line = text.line_of(("resources", name))
        raise MalformedError(f"resource `{name}` has no `type`", text.path, line)
    logical = row.get("name")
    shown = logical if isinstance(logical, str) and "$" not in logical else name
    return f"urn:pulumi:{stack or 'stack'}::{project}::{kind}::{shown}"


def _registered(text: YamlText, program: Program, name: str, row: Table) -> Registered:
    place = ("resources", name)
    origin = Origin(text.path, pointer=place)
    read = row.get("get")
    options = row.get("options")
    provider = program.settled(options.get("provider"), place) if isinstance(options, dict) else None
    known = program.settled(read.get("id"), place) if isinstance(read, dict) else None
    urn = program.urns[name]
    return Registered(
        urn=urn,
        type=str(row["type"]),
        name=name,
        label=label_of(urn),
        origin=origin,
        values=origin.child("properties"),
        props=dict(program.properties(name) or {}),
        id=known if isinstance(known, str) else "",
        provider=_provider(provider),
        external=isinstance(read, dict),
    )


def _provider(given: Value) -> str:
    """The URN of the provider that a resource names; empty for the default one."""
    if isinstance(given, Unknown) and given.refers_to:
        return given.refers_to[0].id
    return ""


def _components(text: YamlText, rows: Mapping[str, Table]) -> dict[str, Unknown]:
    """Why there may be more: resources that are components make others, which nothing here shows."""
    for name, row in rows.items():
        package = str(row.get("type")).partition(":")[0]
        if package in HARMLESS or package in _OTHERS:
            continue
        why = f"`{name}` is a component of `{package}`, whose resources are not looked into"
        origin = Origin(text.path, pointer=("resources", name))
        return {"*": Unknown(why, origin, settle="the output of `pulumi preview --json --show-sames`")}
    return {}


def _settings(text: YamlText, whole: Table, project: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """The configuration: what was given, else the default; without either it is open."""
    found: dict[str, Value] = {}
    for section in ("config", "configuration"):
        for key, row in _table(text, whole.get(section), (section,)).items():
            name = key.removeprefix(f"{project}:")
            declared = row if isinstance(row, dict) else {"default": row}
            origin = Origin(text.path, pointer=(section, key))
            settle = f"`--param {name}=…`, or the stack's configuration with `--param Pulumi.STACK.yaml`"
            if declared.get("secret") is True:
                found[name] = Unknown(f"`{name}` is a secret, so it is not looked at", origin)
            elif name in given:
                found[name] = _typed(given[name], declared)
            elif declared.get("value", declared.get("default")) is not None:
                found[name] = declared.get("value", declared.get("default"))
            else:
                found[name] = Unknown(f"configuration `{name}` has no value", origin, settle=settle)
    return found


def _typed(value: Value, declared: Mapping[str, Value]) -> Value:
    """A value that came as text, as the type that is declared for it."""
    if not isinstance(value, str):
        return value
    kind = str(declared.get("type") or _kind(declared.get("default"))).casefold()
    if kind in ("integer", "int", "number") and re.fullmatch(r"-?\d+", value):
        return int(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "string"


def _given(parameters: Parameters, project: str) -> tuple[str, dict[str, Value]]:
    """The stack's name and its configuration: files first, then single values, which win."""
    stack, found = "", {}
    for file in parameters.files:
        if not is_settings(file.path):
            continue
        text = load_yaml(file)
        stack = file.path.rpartition("/")[2].split(".")[1]
        config = _table(text, _table(text, text.value, ()).get("config"), ("config",))
        for key, value in config.items():
            found[key.removeprefix(f"{project}:")] = _shown(value, key, text)
    found |= {name.removeprefix(f"{project}:"): value for name, value in parameters.values}
    return stack, found


def _shown(value: Value, key: str, text: YamlText) -> Value:
    """A value of a stack's configuration; encrypted ones are nobody's to look at."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            origin = Origin(text.path, text.line_of(("config", key)))
            return Unknown(f"configuration `{key}` is a secret, so it is not looked at", origin)
        return {name: _shown(item, key, text) for name, item in value.items()}
    return [_shown(item, key, text) for item in value] if isinstance(value, list) else value


def _table(text: YamlText, value: Value, pointer: tuple[str, ...]) -> Table:
    if value is None:
        return {}
    if not isinstance(value, dict):
        said = f"`{'.'.join(pointer) or 'the document'}` is no mapping"
        raise MalformedError(said, text.path, text.line_of(pointer))
    return value
