"""One template as it is deployed: its parameters, variables, outputs and functions, each evaluated on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from aks_egress.records import field, record
from aks_egress.values import Unknown, Value, get
from aks_egress_scan.readers.arm.constraints import misfit, violation
from aks_egress_scan.readers.arm.settle import Settler, is_copy
from aks_egress_scan.readers.arm.target import Target
from aks_egress_scan.readers.arm.world import File, Pointer, RefusedError, World
from aks_egress_scan.readers.expressions.evaluate import Asked, Context
from aks_egress_scan.readers.expressions.limits import CALLS, BoundsError, Budget
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError
from aks_egress_scan.readers.expressions.unsettled import Unsettled, digest

if TYPE_CHECKING:
    from aks_egress_scan.readers.arm.instances import Declaration, Instance

Given = Mapping[str, Callable[[], Value]]
"""Parameter values by lower-case name, each evaluated when it is first asked for."""

_SECURE: Final = frozenset({"securestring", "secureobject"})
_RESOURCE: Final = "the name of resource"
#: what holds no secret
_EMPTY: Final[tuple[Value, ...]] = ("", {})


@record(eq=False)
class Template:
    """A root template, or one nested in a deployment resource, its `holder`.

    `speaker` is where its expressions are evaluated: itself, or with outer scope the template around it.
    """

    world: World
    file: File
    data: dict[str, Any]
    pointer: Pointer
    target: Target
    name: Value
    given: Given = field(default_factory=dict)
    holder: Instance | None = None
    outer: Context | None = None
    depth: int = 0
    uncertain: Unknown | None = None
    _known: dict[tuple[str, str], Value] = field(default_factory=dict)
    _waiting: list[tuple[str, str]] = field(default_factory=list)
    _made: dict[int, list[Instance]] = field(default_factory=dict)

    @property
    def parent(self) -> Template | None:
        """The template around this one."""
        return self.holder.template if self.holder is not None else None

    @property
    def budget(self) -> Budget:
        """The steps left for the whole deployment."""
        return self.world.budget

    @cached_property
    def context(self) -> Context:
        """Where the expressions in it stand."""
        return self.outer.around(Context(self)) if self.outer is not None else Context(self)

    @property
    def settler(self) -> Settler:
        """Evaluates parts of it."""
        return Settler(self.world, self.file)

    def section(self, name: str) -> dict[str, Any]:
        """A top-level object such as `parameters`; raises MalformedError where it is something else."""
        found = get(self.data, name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise self.world.refuse(
                f"`{name}` of a template is an object", self.file.place((*self.pointer, name))
            )
        return found

    def asked(self, name: str) -> Asked | None:
        """The functions that a template answers itself."""
        from aks_egress_scan.readers.arm.asked import asked

        return asked(name)

    @contextmanager
    def _computing(self, what: str, name: str) -> Iterator[None]:
        """Guard against values that depend on themselves, and against endless chains."""
        key = (what, name.casefold())
        if key in self._waiting:
            raise RefusedError(f"{what} `{name}` depends on itself")
        if self.budget.depth >= CALLS:
            raise BoundsError(f"more than {CALLS} values depend on each other in a chain")
        self._waiting.append(key)
        self.budget.depth += 1
        try:
            yield
        finally:
            self._waiting.pop()
            self.budget.depth -= 1

    def _once(self, what: str, name: str, compute: Callable[[], Value]) -> Value:
        key = (what, name.casefold())
        if key not in self._known:
            with self._computing(what, name):
                found = compute()
            self.budget.weigh(found)
            self._known[key] = found
        return self._known[key]

    def parameter(self, name: str) -> Value:
        """The value of a parameter: as given, else its default; secrets are never known."""
        declared = _member(self.section("parameters"), name)
        if declared is None:
            raise RefusedError(f"parameter `{name}` is not declared")
        return self._once("parameter", name, lambda: self._parameter(*declared))

    def _parameter(self, name: str, declared: Any) -> Value:
        given = self.given.get(name.casefold())
        default = get(declared, "defaultValue")
        place = (*self.pointer, "parameters", name)
        handed = None if given is None else given()
        refused = self._refused(name, declared, handed, place)
        if (
            declared_type(self.data, declared) in _SECURE
            and (default if handed is None else handed) not in _EMPTY
        ):
            return self._open_parameter(name, place, f"parameter `{name}` is a secret")
        if refused is not None:
            return refused
        if handed is not None:  # null asks for the default
            return handed
        if isinstance(declared, dict) and any(key.casefold() == "defaultvalue" for key in declared):
            return self._default(name, default, place, declared_type(self.data, declared))
        if _declared(self.data, declared, "nullable") is True or given is not None:
            return None
        settle = f"give it with `--param {name}=VALUE` or a parameter file" if self.parent is None else ""
        return self._open_parameter(name, place, f"parameter `{name}` has no value", settle)

    def _default(self, name: str, default: Any, place: Pointer, kind: str) -> Value:
        found = self.settler.value(default, (*place, "defaultValue"), self.context)
        wanted = {"int": int, "bool": bool, "array": list, "object": dict}.get(kind)
        if found is None or wanted is None or isinstance(found, Unknown | wanted):
            return found
        return self._open_parameter(
            name, place, f"the default of parameter `{name}` is not of the type `{kind}`"
        )

    def _refused(self, name: str, declared: Any, value: Value, place: Pointer) -> Unsettled | None:
        """A given value that Azure does not take: it is said, and what is deployed is not known."""
        kind = declared_type(self.data, declared)
        said = misfit(value, kind) if self.parent is None else ""
        said = said or violation(value, lambda member: _declared(self.data, declared, member))
        if not said:
            return None
        said = f"Azure refuses the value given for parameter `{name}`: {said}"
        self.world.notice("parameter-refused", said, self.file.place(place))
        return self._open_parameter(name, place, said, "give another value")

    def _open_parameter(self, name: str, place: Pointer, why: str, settle: str = "") -> Unsettled:
        text = name if self.parent is None else f"{name} of {digest(str(self.pointer) + self.file.path)}"
        return Unsettled(why, self.file.place(place), settle=settle, spelling=f"{{{text}}}")

    def variable(self, name: str) -> Value:
        """The value of a variable."""
        section = self.section("variables")
        place = (*self.pointer, "variables")
        found = _member(section, name)
        if found is not None and not is_copy(*found):
            return self._once(
                "variable", name, lambda: self.settler.value(found[1], (*place, found[0]), self.context)
            )
        loop = _loop(section, name)
        if loop is None:
            raise RefusedError(f"variable `{name}` is not declared")
        return self._once(
            "variable", name, lambda: self.settler.copies(loop[1], (*place, *loop[0]), self.context)
        )

    def output(self, name: str) -> Value:
        """The value of an output."""
        found = _member(self.section("outputs"), name)
        if found is None:
            raise FunctionProblemError(f"the deployment has no output `{name}`")
        return self._once("output", name, lambda: self._output(*found))

    def _output(self, name: str, declared: Any) -> Value:
        place = (*self.pointer, "outputs", name)
        loop = get(declared, "copy")
        if isinstance(loop, dict):
            return self.settler.copies({"name": "", **loop}, (*place, "copy"), self.context)
        return self.settler.value(get(declared, "value"), (*place, "value"), self.context)

    def function(self, name: str, values: Sequence[Value]) -> Value:
        """The answer of a user function, `namespace.name`."""
        found = self._functions.get(name.casefold())
        if found is None:
            raise FunctionProblemError(f"the function `{name}` is not known")
        pointer, declared = found
        wanted = get(declared, "parameters")
        names = [str(get(one, "name")) for one in wanted] if isinstance(wanted, list) else []
        if len(values) != len(names):
            raise FunctionProblemError(f"`{name}` takes {len(names)} arguments, not {len(values)}")
        own = {one.casefold(): value for one, value in zip(names, values, strict=True)}
        if self.budget.depth >= CALLS:
            raise BoundsError(f"more than {CALLS} functions call each other in a chain")
        self.budget.depth += 1
        try:
            node = get(get(declared, "output"), "value")
            return self.settler.value(node, (*pointer, "output", "value"), Context(self, arguments=own))
        finally:
            self.budget.depth -= 1

    @cached_property
    def _functions(self) -> dict[str, tuple[Pointer, Any]]:
        found: dict[str, tuple[Pointer, Any]] = {}
        spaces = get(self.data, "functions")
        for i, space in enumerate(spaces if isinstance(spaces, list) else ()):
            members = get(space, "members")
            for name, declared in members.items() if isinstance(members, dict) else ():
                place = (*self.pointer, "functions", i, "members", name)
                found[f"{get(space, 'namespace')}.{name}".casefold()] = place, declared
        return found

    @property
    def instances(self) -> list[Instance]:
        """The resources it declares, loops run, those left out by a condition left out."""
        return [one for number in range(len(self._declarations)) for one in self._instances_of(number)]

    @property
    def instances_at_hand(self) -> list[Instance]:
        """The resources whose names do not turn on what is being computed now."""
        ready = [
            number
            for number, row in enumerate(self._declarations)
            if not row.symbol or (_RESOURCE, row.symbol.casefold()) not in self._waiting
        ]
        return [one for number in ready for one in self._instances_of(number)]

    def symbolic(self, name: str) -> list[Instance]:
        """The resources declared under a symbolic name, without a look at any other."""
        wanted = name.casefold()
        rows = enumerate(self._declarations)
        return [one for i, row in rows if row.symbol.casefold() == wanted for one in self._instances_of(i)]

    @cached_property
    def _declarations(self) -> list[Declaration]:
        from aks_egress_scan.readers.arm.instances import declarations_of

        return declarations_of(self)

    def _instances_of(self, number: int) -> list[Instance]:
        if number not in self._made:
            row = self._declarations[number]
            # only symbolic names can be told before all the others are
            guard = (_RESOURCE, row.symbol) if row.symbol else ("the list of resources of", "this template")
            with self._computing(*guard):
                self._made[number] = row.instances()
        return self._made[number]


def _member(section: dict[str, Any], name: str) -> tuple[str, Any] | None:
    """A member with its own spelling of the name."""
    if name in section:
        return name, section[name]
    wanted = name.casefold()
    return next(((key, item) for key, item in section.items() if key.casefold() == wanted), None)


def _loop(section: dict[str, Any], name: str) -> tuple[Pointer, Any] | None:
    for key, item in section.items():
        for i, one in enumerate(item) if is_copy(key, item) else ():
            if str(get(one, "name")).casefold() == name.casefold():
                return (key, i), one
    return None


def declared_type(data: dict[str, Any], declared: Any) -> str:
    """The type of a parameter in lower case, through `$ref` to the template's `definitions`."""
    found = _declared(data, declared, "type")
    return found.casefold() if isinstance(found, str) else ""


def _declared(data: dict[str, Any], declared: Any, member: str) -> Value:
    """A member of a parameter's declaration, or of the type definition that it names."""
    for _ in range(10):
        found = get(declared, member)
        reference = get(declared, "$ref")
        if found is not None or not isinstance(reference, str) or not reference.startswith("#/definitions/"):
            return found
        declared = get(get(data, "definitions"), reference.removeprefix("#/definitions/"))
    return None
