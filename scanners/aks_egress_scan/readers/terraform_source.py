"""Terraform source: a root module with its child modules, evaluated without running Terraform.

The unit is a folder: whichever of its files is named, all of them are read. What only `terraform apply`
can tell stays unknown and says so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from aks_egress.arm.resources import Document, Kind, Notice
from aks_egress.values import Origin, Step, Unknown, Value
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.hcl.attributes import Attributes
from aks_egress_scan.readers.hcl.config import Config, read_config
from aks_egress_scan.readers.hcl.defaults import default_of
from aks_egress_scan.readers.hcl.disk import Disk
from aks_egress_scan.readers.hcl.instances import Instance as Evaluated
from aks_egress_scan.readers.hcl.loading import Loader, may_hold
from aks_egress_scan.readers.hcl.module import Module, World
from aks_egress_scan.readers.hcl.providers import NEWEST, azurerm_major, cloud_of, subscription_of
from aks_egress_scan.readers.hcl.syntax import Block
from aks_egress_scan.readers.hcl.terms import ExhaustedError, Term
from aks_egress_scan.readers.hcl.variables import Given, declared, given_values, term_of
from aks_egress_scan.readers.mapping.azurerm import TYPES
from aks_egress_scan.readers.mapping.fields import UNSET
from aks_egress_scan.readers.terraform.addresses import module_path
from aks_egress_scan.readers.terraform.building import build
from aks_egress_scan.readers.terraform.identity import AZAPI
from aks_egress_scan.readers.terraform.instances import Instance

_RECURSION: Final = 20_000


class TerraformSource:
    """Reads root modules."""

    def claims(self, source: Source) -> bool:
        """Whether it is a file of a Terraform module."""
        return source.path.casefold().endswith((".tf", ".tf.json"))

    def read(self, source: Source, parameters: Parameters) -> list[Document]:
        """The one document of the folder that the file lies in."""
        with _deep_recursion():
            try:
                return [_document(source, parameters)]
            except ExhaustedError as error:
                raise MalformedError(str(error), source.path) from None
            except RecursionError:
                message = "the configuration is nested too deeply to evaluate"
                raise MalformedError(message, source.path) from None


READER: Final = TerraformSource()


def attributes_of(source: Source, parameters: Parameters) -> Mapping[str, Attributes]:
    """The attributes of every resource of a root module, by address; raises MalformedError.

    Their `lines` tell where each part is written, once it was asked for.
    """
    with _deep_recursion():
        try:
            disk = Disk(source)
            config = read_config(disk, ".", source)
            reading = _Reading(disk, source, parameters)
            if config is not None:
                reading.walk(reading.root(config))
        except (ExhaustedError, RecursionError):
            raise MalformedError("the configuration is beyond every bound", source.path) from None
    return reading.attributes


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Room for chains of modules, locals and expressions; their depth has bounds of its own."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _document(source: Source, parameters: Parameters) -> Document:
    disk = Disk(source)
    config = read_config(disk, ".", source)
    if config is None:
        raise MalformedError("no Terraform file can be read here", source.path)
    reading = _Reading(disk, source, parameters)
    root = reading.root(config)
    reading.walk(root)
    built = build(reading.instances)
    for resource in built.resources:
        resource.get()  # what is broken or grows beyond every bound shows while reading, not later
    return Document(
        disk.folder or source.path,
        Kind.TERRAFORM_SOURCE,
        tuple(built.resources),
        (*reading.notices, *built.notices),
        unread={**built.unread, **reading.unread},
        loose=tuple(built.loose),
        cloud=cloud_of(root),
        locate=reading.locate,
    )


class _Reading:
    """One reading of a root module: its instances, and what nobody can say about it."""

    def __init__(self, disk: Disk, source: Source, parameters: Parameters) -> None:
        self.disk, self.source = disk, source
        self.instances: list[Instance] = []
        self.notices: list[Notice] = []
        self.unread: dict[str, Unknown] = {}
        self._given = given_values(disk, parameters)
        self.attributes: dict[str, Attributes] = {}
        self._major = NEWEST

    def root(self, config: Config) -> Module:
        """The root module with the values that were given."""
        workspace = self._given.get("terraform.workspace", Given("")).text
        world = World(self.disk, Loader(self.disk), workspace=workspace)
        module = Module(world, config, lambda name: self._input(module, name))
        self._major = azurerm_major(module)
        return module

    def _input(self, module: Module, name: str) -> tuple[bool, Term]:
        given = self._given.get(name)
        if given is None:
            return False, None
        variable = declared(name, module.config.variables[name], module.bare)
        return True, term_of(given, variable, module.bare)

    def walk(self, module: Module, uncertain: Unknown | None = None) -> None:
        """Take in the instances of a module and of those it calls.

        `uncertain` is why nobody can say whether the module will be there.
        """
        for key in module.config.resources:
            mode, kind, _ = key
            if kind.startswith(("azurerm_", "azapi_")):
                for one in module.managed(key).instances():
                    self._add(module, one, mode == "data", uncertain or one.uncertain)
        for name in module.config.modules:
            called = module.called(name)
            config = called.config
            if isinstance(config, Unknown):
                self._missing(config, called.block)
                continue
            for one_key in called.expanded.names:
                child = called.instance(one_key)
                if child is not None:
                    self.walk(child, uncertain or called.expanded.uncertain)

    def _missing(self, why: Unknown, call: Block) -> None:
        kinds = may_hold(call)
        if not kinds:
            return
        self.notices.append(
            Notice("missing-module", f"{why.why}, so nobody can say what it holds", why.origin)
        )
        for kind in kinds:
            self.unread.setdefault(kind, why)

    def _add(self, module: Module, one: Evaluated, data: bool, uncertain: Unknown | None) -> None:
        attributes = Attributes(one)
        self.attributes[one.address] = attributes
        block = one.of.block
        self.instances.append(
            Instance(
                one.address,
                one.of.type,
                Origin(block.path, block.line),
                Origin(block.path, pointer=(one.address,)),
                lambda name: self._attribute(attributes, name, data),
                data=data,
                module=module_path(one.of.module.prefix.rstrip(".")),
                name=one.of.name,
                key=one.key,
                subscription=subscription_of(module, block),
                uncertain=uncertain,
            )
        )
        if uncertain is not None and not data:
            kind = TYPES.get(one.of.type)
            if kind is not None:
                self.unread.setdefault(kind.kind, uncertain)

    def _attribute(self, attributes: Attributes, name: str, data: bool) -> Value:
        if name == "":
            return {one: attributes.get(one) for one in attributes.names()}
        value = attributes.get(name)
        if value is not None:
            return value
        if attributes.instance.of.type in AZAPI:
            return None
        if data and name != "id":
            return attributes.instance.after_apply((name,))
        configured = frozenset(attributes.instance.of.block.body.settings)
        default = default_of(attributes.instance.of.type, name, configured, self._major)
        if isinstance(default, Unknown):
            block = attributes.instance.of.block
            why = f"`{attributes.instance.address}.{name}`: {default.why}"
            return Unknown(why, Origin(block.path, block.line), settle=default.settle)
        return UNSET if default is None else default

    def locate(self, origin: Origin) -> int | None:
        """The line of the part at an origin: of the attribute or block that is nearest."""
        if origin.line is not None or not origin.pointer:
            return origin.line
        address, *rest = origin.pointer
        attributes = self.attributes.get(str(address))
        if attributes is None:
            return None
        path: tuple[Step, ...] = tuple(rest)
        while path:
            if path in attributes.lines:
                return attributes.lines[path][1]
            path = path[:-1]
        return attributes.instance.of.block.line
