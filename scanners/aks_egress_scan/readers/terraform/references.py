"""What a value that comes only with the apply is made of: references followed to instances.

A plan shows neither locals nor `dynamic` blocks.  What stands there can only be made of what its module can
see, so it leads to everything in sight that is unknown, of which a reader keeps what fits.  Where even that
is not certain, the answer is incomplete, and an incomplete answer is none: it could name one of two
candidates and hide the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from aks_egress.records import field, record
from aks_egress.values import Reference, Step, Value
from aks_egress_scan.readers.mapping.azurerm import FOLDS
from aks_egress_scan.readers.terraform.addresses import (
    ROOT,
    Index,
    Key,
    ModulePath,
    Part,
    as_path,
    parts,
    take_key,
)
from aks_egress_scan.readers.terraform.configuration import Configuration, Table, rows, table
from aks_egress_scan.readers.terraform.identity import WIDE, may_hold_anything
from aks_egress_scan.readers.terraform.planned import Planned

_LIMIT: Final = 5000
"""Steps that one value may take; beyond it the answer is incomplete."""

_KNOWN_HEADS: Final = frozenset({"count", "path", "terraform", "self", "each"})


@record(frozen=True, slots=True)
class Scope:
    """Where an expression is evaluated.

    The module instance; the key of the repeated thing around it, the keys that thing has, and the expression of
    its `for_each`.  In a `chained` scope the expression is such a `for_each` itself, and the key picks from it.
    """

    module: ModulePath
    key: Key = None
    keys: frozenset[Key] = frozenset()
    each: Value = None
    chained: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The module without instance keys."""
        return tuple(name for name, _ in self.module)


@record(slots=True)
class _Walk:
    found: dict[Reference, None] = field(default_factory=dict)
    complete: bool = True
    known_too: bool = False
    steps: int = 0
    seen: set[object] = field(default_factory=set)
    modules: set[ModulePath] = field(default_factory=set)


@record(frozen=True, slots=True)
class _Uses:
    """How an expression picks instances: by its own key, by its value, by its count; or it refers to one thing only."""

    key: bool
    value: bool
    value_part: bool
    count: bool
    sole: bool


class Resolver:
    """Follows the references of a plan's configuration."""

    def __init__(self, configuration: Configuration, instances: Sequence[Planned]) -> None:
        self._configuration = configuration
        self._instances: dict[tuple[ModulePath, str, str, str], dict[Key, Planned]] = {}
        self._keys: dict[tuple[ModulePath, str, str, str], frozenset[Key]] = {}
        self._modules: dict[tuple[ModulePath, str], dict[Key, None]] = {}
        self._inside: dict[ModulePath, list[Planned]] = {}
        self._sights: dict[ModulePath, tuple[Reference, ...] | None] = {}
        for one in instances:
            mode = "data" if one.data else "managed"
            self._instances.setdefault((one.module, mode, one.type, one.name), {})[one.key] = one
            self._inside.setdefault(one.module, []).append(one)
            for depth, (name, key) in enumerate(one.module):
                self._modules.setdefault((one.module[:depth], name), {})[key] = None

    def references(
        self, instance: Planned, path: tuple[Step, ...], known_too: bool = False
    ) -> tuple[Reference, ...]:
        """What the value at `path` of an instance will be one of; empty where that is not certain.

        Of the things it refers to only those count that are unknown themselves, unless `known_too`.
        """
        walk = _Walk(known_too=known_too)
        written = instance.written(path)
        if not written.expressions and (written.visible or instance.declared is None):
            return ()
        if not written.expressions:
            self._anything(instance.module, walk)
        self._expressions(written.expressions, self._scope(instance), walk, False)
        return tuple(walk.found) if walk.complete else ()

    def _anything(self, module: ModulePath, walk: _Walk) -> None:
        """All that an expression in a module can see and that is not known: it is made of some of that."""
        if module not in self._sights:
            sight = _Walk()
            self._look(module, sight)
            self._sights[module] = tuple(sight.found) if sight.complete and sight.steps <= _LIMIT else None
        found = self._sights[module]
        if found is None or walk.known_too:
            walk.complete = False
            return
        walk.found.update(dict.fromkeys(found))

    def _look(self, module: ModulePath, walk: _Walk) -> None:
        """Its resources, the outputs of the modules it calls, and what its own call gives it."""
        if module in walk.modules:
            return
        walk.modules.add(module)
        names = tuple(name for name, _ in module)
        for instance in self._inside.get(module, ()):
            walk.steps += 1
            if instance.type not in FOLDS:  # what those know comes from elsewhere in sight
                self._source(instance, (), True, walk)
        for outside, name in [place for place in self._modules if place[0] == module]:
            outputs = self._configuration.outputs((*names, name))
            for key in self._modules[outside, name]:
                given = [table(table(one).get("expression")) for one in outputs.values()]
                self._expressions(given, Scope((*module, (name, key))), walk, True)
        if module != ROOT:
            outside, (name, key) = module[:-1], module[-1]
            call = self._configuration.call(names[:-1], name)
            around = Scope(
                outside,
                key,
                frozenset(self._modules.get((outside, name), {})),
                call.get("for_each_expression"),
            )
            for one in table(call.get("expressions")).values():
                self._expressions(_leaves(one), around, walk, True)

    def _scope(self, instance: Planned) -> Scope:
        mode = "data" if instance.data else "managed"
        keys = self._keys_of((instance.module, mode, instance.type, instance.name))
        declared = instance.declared or {}
        return Scope(instance.module, instance.key, keys, declared.get("for_each_expression"))

    def _keys_of(self, place: tuple[ModulePath, str, str, str]) -> frozenset[Key]:
        """The keys of all instances of a resource."""
        if place not in self._keys:
            self._keys[place] = frozenset(self._instances.get(place, {}))
        return self._keys[place]

    def _expressions(
        self,
        expressions: Iterable[Table],
        scope: Scope,
        walk: _Walk,
        wide: bool,
        suffix: tuple[Part, ...] = (),
    ) -> None:
        """Follow every reference of some expressions; `suffix` is what is taken of the value they make."""
        for expression in expressions:
            split = [parts(one) for one in _longest([str(one) for one in rows(expression.get("references"))])]
            uses = _Uses(
                key=any(one[:2] == ("each", "key") for one in split),
                value=any(one[:2] == ("each", "value") for one in split),
                value_part=any(one[:2] == ("each", "value") and len(one) > 2 for one in split),
                count=any(one[:1] == ("count",) for one in split),
                sole=len(split) == 1,
            )
            for one in split:
                self._follow(one, scope, uses, walk, wide, suffix)

    def _follow(
        self,
        one: tuple[Part, ...],
        scope: Scope,
        uses: _Uses,
        walk: _Walk,
        wide: bool,
        suffix: tuple[Part, ...],
    ) -> None:
        walk.steps += 1
        if walk.steps > _LIMIT or not one:
            walk.complete = False
        place = (scope.module, scope.key, id(scope.each), one, wide, suffix)
        if not walk.complete or place in walk.seen:
            return
        walk.seen.add(place)
        head = one[0]
        if head == "var":
            self._variable(one, scope, walk, wide, suffix)
        elif head == "module":
            self._output(one, scope, uses, walk, wide, suffix)
        elif head == "data":
            self._resource("data", one[1:], scope, uses, walk, wide, suffix)
        elif one[:2] == ("each", "value"):
            chained = Scope(scope.module, scope.key, chained=True)
            self._expressions([table(scope.each)], chained, walk, wide, (*one[2:], *suffix))
        elif head == "local":
            self._hidden(scope.module, walk)
        elif head not in _KNOWN_HEADS:
            self._resource("managed", one, scope, uses, walk, wide, suffix)

    def _hidden(self, module: ModulePath, walk: _Walk) -> None:
        """What a local of a module is made of."""
        if walk.modules:
            self._look(module, walk)
        else:
            self._anything(module, walk)

    def _variable(
        self, one: tuple[Part, ...], scope: Scope, walk: _Walk, wide: bool, suffix: tuple[Part, ...]
    ) -> None:
        """A variable is what the module's call gives it; the root's variables and defaults are known."""
        if scope.module == ROOT or len(one) < 2:
            return
        outside, (name, key) = scope.module[:-1], scope.module[-1]
        call = self._configuration.call(tuple(step for step, _ in outside), name)
        given = table(call.get("expressions")).get(str(one[1]))
        if given is None:
            return
        keys = frozenset(self._modules.get((outside, name), {}))
        around = Scope(outside, key, keys, call.get("for_each_expression"))
        if scope.chained:
            around = Scope(outside, scope.key, chained=True)
        self._expressions(_leaves(given), around, walk, wide or isinstance(given, list), (*one[2:], *suffix))

    def _output(
        self,
        one: tuple[Part, ...],
        scope: Scope,
        uses: _Uses,
        walk: _Walk,
        wide: bool,
        suffix: tuple[Part, ...],
    ) -> None:
        if len(one) < 2 or not isinstance(one[1], str):
            walk.complete = False
            return
        name = one[1]
        key, rest = take_key(one[2:])
        keys = self._modules.get((scope.module, name), {None: None})
        chosen: Iterable[Key] = [key] if key is not None else (_paired(keys.keys(), scope, uses) or keys)
        outputs = self._configuration.outputs((*scope.names, name))
        if not rest and suffix and suffix[0] in outputs:
            rest, suffix = suffix, ()
        wanted = [str(rest[0])] if rest else list(outputs)
        for output in wanted:
            expression = table(table(outputs.get(output)).get("expression"))
            if not expression:
                walk.complete = False
            for child in chosen:
                inside = Scope(
                    (*scope.module, (name, child)),
                    scope.key if scope.chained else None,
                    chained=scope.chained,
                )
                self._expressions([expression], inside, walk, wide or not rest, (*rest[1:], *suffix))

    def _resource(
        self,
        mode: str,
        one: tuple[Part, ...],
        scope: Scope,
        uses: _Uses,
        walk: _Walk,
        wide: bool,
        suffix: tuple[Part, ...],
    ) -> None:
        if len(one) < 2 or not isinstance(one[0], str) or not isinstance(one[1], str):
            walk.complete = False
            return
        kind, name = one[0], one[1]
        place = (scope.module, mode, kind, name)
        family = self._instances.get(place, {})
        if not family and self._configuration.resource(scope.names, mode, kind, name) is None:
            walk.complete = False
        keys = self._keys_of(place)
        key, rest = take_key(one[2:])
        if key is not None and key not in keys:
            walk.complete = walk.complete and not family
            return
        chosen: Iterable[Key] | None = [key] if key is not None else None
        if chosen is None and not rest and suffix and isinstance(suffix[0], Index):
            picked, suffix = take_key(suffix)
            chosen = [picked] if uses.sole and picked in keys else family
        if chosen is None:
            chosen = _paired(keys, scope, uses) or family
        wide = wide or bool(rest and suffix)
        for index in chosen:
            self._source(family[index], *_reach(family[index], rest or suffix, wide), walk)

    def _source(self, instance: Planned, path: tuple[Step, ...], wide: bool, walk: _Walk) -> None:
        if not (walk.known_too or instance.unknown_at(path)):
            return
        if may_hold_anything(instance.type):
            walk.complete = False
        if path and str(path[-1]).endswith(("_id", "_ids", "_name")):
            expressions = instance.written(path).expressions
            if expressions:
                self._expressions(expressions, self._scope(instance), walk, wide)
                return
        walk.found[Reference(instance.address, (WIDE, *path) if wide else path)] = None


def _reach(instance: Planned, rest: tuple[Part, ...], wide: bool) -> tuple[tuple[Step, ...], bool]:
    """The path into an instance; leading steps that are none of its attributes belong to an object around it."""
    path = as_path(rest)
    while path and not instance.has(str(path[0])):
        path, wide = path[1:], True
    return path, wide


def _paired(keys: AbstractSet[Key], scope: Scope, uses: _Uses) -> list[Key]:
    """The instance that an index which is no constant picks, where that is sure; else none."""
    if scope.key is None or scope.key not in keys:
        return []
    if scope.chained:
        return [scope.key] if uses.sole else []
    by_key = uses.key and not uses.value
    maybe = uses.count or (uses.value and not uses.value_part)
    return [scope.key] if by_key or (maybe and keys == scope.keys) else []


def _longest(references: Sequence[str]) -> list[str]:
    """Each reference once: a plan lists it in full and then ever shorter."""
    found: list[str] = []
    for one in references:
        last = found[-1] if found else ""
        if not (last.startswith(one) and last[len(one) : len(one) + 1] in (".", "[")):
            found.append(one)
    return found


def _leaves(given: Value) -> list[Table]:
    """The expressions of a module argument, which may be given as blocks of them."""
    if isinstance(given, list):
        return [leaf for item in given for leaf in _leaves(item)]
    body = table(given)
    if "references" in body or "constant_value" in body or not body:
        return [body]
    return [leaf for item in body.values() for leaf in _leaves(item)]
