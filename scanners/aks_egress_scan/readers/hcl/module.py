"""A module instance: what its names stand for, each evaluated once and only when somebody asks."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from aks_egress.records import field, record
from aks_egress.values import Origin, Reference, Unknown
from aks_egress_scan.readers.base import MalformedError
from aks_egress_scan.readers.hcl import expansion
from aks_egress_scan.readers.hcl.config import Config
from aks_egress_scan.readers.hcl.disk import Disk
from aks_egress_scan.readers.hcl.evaluator import Budget, Scope, evaluate, settled
from aks_egress_scan.readers.hcl.instances import Managed, Managing
from aks_egress_scan.readers.hcl.syntax import Block, Node, Setting
from aks_egress_scan.readers.hcl.terms import ProblemError, Term
from aks_egress_scan.readers.hcl.variables import declared, value_of

if TYPE_CHECKING:
    from aks_egress_scan.readers.hcl.loading import Loader

MAX_MODULES: Final = 2_000
MAX_NESTING: Final = 40


@record(slots=True)
class World:
    """What all modules of one document share."""

    disk: Disk
    loader: Loader
    budget: Budget = field(default_factory=Budget)
    modules: int = 0
    workspace: str = ""


class NoNames:
    """The scope of defaults and of files of variables: nothing has a name there."""

    def root(self, name: str) -> Term:
        """Nothing."""
        raise ProblemError(f"`{name}` cannot be used here")


Inputs = Callable[[str], tuple[bool, Term]]
"""What a module is given for a variable: whether anything, and what."""


class Module:
    """One instance of a module."""

    def __init__(
        self,
        world: World,
        config: Config,
        inputs: Inputs,
        prefix: str = "",
        caller: tuple[Module, Block] | None = None,
    ) -> None:
        self.world, self.config, self.prefix, self.caller = world, config, prefix, caller
        self.depth: int = 0 if caller is None else caller[0].depth + 1
        self._inputs = inputs
        self._done: dict[tuple[str, str], Term] = {}
        self._busy: list[tuple[str, str]] = []
        self._managed: dict[tuple[str, str, str], Managed] = {}
        self._calls: dict[str, Called] = {}
        self._types = config.types("resource")
        self._data = config.types("data")
        world.modules += 1
        if world.modules > MAX_MODULES or self.depth > MAX_NESTING:
            raise MalformedError(
                "the configuration holds too many modules within modules", disk_path(world, config)
            )

    def scope(self, path: str, names: Mapping[str, Term] | None = None) -> Scope:
        """Where expressions of a file of this module are evaluated."""
        return Scope(self, path, self.world.budget, self.world.disk, names or {})

    def bare(self, node: Node, path: str) -> Term:
        """An expression that may use no names."""
        return settled(node, Scope(NoNames(), path, self.world.budget, self.world.disk))

    def root(self, name: str) -> Term:
        """What a root name stands for."""
        match name:
            case "var":
                return Names("var", self.variable, lambda: self.config.variables)
            case "local":
                return Names("local", self.local, lambda: self.config.locals)
            case "module":
                return Names("module", self.call, lambda: self.config.modules)
            case "data":
                return Names("data", lambda kind: self._named(kind, "data"), lambda: self._data)
            case "path":
                return self._path()
            case "terraform":
                return {"workspace": self._workspace(), "applying": False}
            case "each" | "count" | "self":
                raise ProblemError(f"`{name}` has no meaning here")
        return self._named(name, "resource")

    def _named(self, kind: str, mode: str) -> Term:
        known = (self._types if mode == "resource" else self._data).get(kind)
        if known is None:
            raise ProblemError(f"there is no `{kind}` in this module")
        return Names(kind, lambda name: self.managed((mode, kind, name)).value(), lambda: known)

    def managed(self, key: tuple[str, str, str]) -> Managed:
        """The instances of one resource block."""
        if key not in self._managed:
            block = self.config.resources.get(key)
            if block is None:
                raise ProblemError(f"there is no `{key[1]}.{key[2]}` in this module")
            self._managed[key] = Managed(Managing(self.scope, self.prefix, self.guarded), key, block)
        return self._managed[key]

    def guarded(self, kind: str, name: str, compute: Callable[[], Term], origin: Origin) -> Term:
        """A value computed once; one that needs itself is an error with its place."""
        key = kind, name
        if key in self._done:
            return self._done[key]
        if key in self._busy:
            ring = [f"{one[0]}.{one[1]}" for one in self._busy[self._busy.index(key) :]]
            chain = " → ".join(f"`{one}`" for one in [*ring, ring[0]])
            raise MalformedError(f"a value needs itself: {chain}", origin.path, origin.line)
        self._busy.append(key)
        try:
            self._done[key] = compute()
        finally:
            self._busy.pop()
        return self._done[key]

    def variable(self, name: str) -> Term:
        """An input variable."""
        block = self.config.variables.get(name)
        if block is None:
            raise ProblemError(f"there is no variable `{name}` in this module")
        return self.guarded("var", name, lambda: self._variable(name, block), _origin(block))

    def _variable(self, name: str, block: Block) -> Term:
        variable = declared(name, block, self.bare)
        is_given, given = self._inputs(name)
        return value_of(variable, given, self.bare, is_given=is_given)

    def local(self, name: str) -> Term:
        """A local value."""
        setting = self.config.locals.get(name)
        if setting is None:
            raise ProblemError(f"there is no local `{name}` in this module")
        scope = self.scope(setting.path)
        origin = Origin(setting.path, setting.line)
        return self.guarded("local", name, lambda: settled(setting.expression, scope), origin)

    def output(self, name: str) -> Term:
        """An output."""
        block = self.config.outputs.get(name)
        if block is None:
            raise ProblemError(f"the module has no output `{name}`")
        setting = block.body.settings.get("value")
        if setting is None:
            raise ProblemError(f"the output `{name}` has no value")
        if "sensitive" in block.body.settings and self._hides(block.body.settings["sensitive"]):
            return Unknown(f"the output `{name}` is marked as sensitive", _origin(block))
        scope = self.scope(setting.path)
        return self.guarded("output", name, lambda: settled(setting.expression, scope), _origin(block))

    def _hides(self, setting: Setting) -> bool:
        return self.bare(setting.expression, setting.path) is True

    def call(self, name: str) -> Term:
        """What `module.name` stands for."""
        return self.called(name).value()

    def called(self, name: str) -> Called:
        """The instances of a module call."""
        if name not in self._calls:
            block = self.config.modules.get(name)
            if block is None:
                raise ProblemError(f"there is no module `{name}` here")
            self._calls[name] = Called(self, name, block)
        return self._calls[name]

    def _path(self) -> Term:
        here = self.config.folder
        return {
            "module": here if here == "." or here.startswith("..") else f"./{here}".replace("././", "./"),
            "root": ".",
            "cwd": Unknown("the working directory depends on the machine"),
        }

    def _workspace(self) -> Term:
        if self.world.workspace:
            return self.world.workspace
        return Unknown("the workspace is not known", settle="give it with `--param terraform.workspace=NAME`")


class Called:
    """The instances of one `module` block."""

    def __init__(self, parent: Module, name: str, block: Block) -> None:
        self.parent, self.name, self.block = parent, name, block
        self._instances: dict[expansion.Key, Module] = {}
        self._expanded: expansion.Expansion | None = None
        self._config: Config | None = None
        self._missing: Unknown | None = None
        self._loaded = False

    @property
    def config(self) -> Config | Unknown:
        """The module's configuration, or why it cannot be had."""
        if not self._loaded:
            self._loaded = True
            found = self.parent.world.loader.child(self.parent, self.name, self.block)
            if isinstance(found, Unknown):
                self._missing = found
            else:
                self._config = found
        return self._config or self._missing or Unknown("the module cannot be read")

    @property
    def expanded(self) -> expansion.Expansion:
        """The keys of its instances."""
        if self._expanded is None:
            self._expanded = expansion.expand(self.block, self.parent.scope(self.block.path))
        return self._expanded

    def instance(self, key: expansion.Key) -> Module | None:
        """One instance; None where the module cannot be had."""
        config = self.config
        if isinstance(config, Unknown):
            return None
        if key not in self._instances:
            prefix = f"{self.parent.prefix}module.{self.name}{expansion.spelled(key)}."
            names = self.expanded.names[key]
            self._instances[key] = Module(
                self.parent.world,
                config,
                lambda name: self._input(name, names),
                prefix,
                (self.parent, self.block),
            )
        return self._instances[key]

    def _input(self, name: str, names: Mapping[str, Term]) -> tuple[bool, Term]:
        setting = self.block.body.settings.get(name)
        if setting is None or name in expansion.META:
            return False, None
        return True, settled(setting.expression, self.parent.scope(setting.path, names))

    def value(self) -> Term:
        """What a reference to the module stands for."""
        config = self.config
        if isinstance(config, Unknown):
            return config
        return self.expanded.shaped(lambda key: self._outputs(key, config))

    def _outputs(self, key: expansion.Key, config: Config) -> Term:
        module = self.instance(key)
        assert module is not None  # noqa: S101 - the configuration is there
        return Names(f"module.{self.name}", module.output, lambda: config.outputs)


@record(slots=True, eq=False)
class Names:
    """A namespace whose members are evaluated when asked for."""

    label: str
    get: Callable[[str], Term]
    known: Callable[[], Mapping[str, object]]

    def member(self, name: str) -> Term:
        """One member."""
        return self.get(name)

    def settled(self) -> Term:
        """All members as an object."""
        return {name: self._one(name) for name in self.known()}

    def _one(self, name: str) -> Term:
        try:
            return self.get(name)
        except ProblemError as problem:
            return Unknown(f"`{self.label}.{name}` cannot be evaluated: {problem}")


def _origin(block: Block) -> Origin:
    return Origin(block.path, block.line)


def disk_path(world: World, config: Config) -> str:
    """The folder of a module as the user would write it."""
    return world.disk.spelled(posixpath.normpath(config.folder))


__all__ = ["MAX_MODULES", "Called", "Module", "Names", "Reference", "World", "evaluate"]
