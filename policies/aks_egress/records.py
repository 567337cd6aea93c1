"""Records: the part of `dataclasses` that this project uses, made when first needed.

`dataclasses` writes six methods for every class at import and pulls `inspect` in; with some two
hundred classes that was two thirds of the time a small scan took (docs/decisions/start-up.md has
the numbers).  Here a class costs a few microseconds: `__init__` is written once a class has made its
first few objects, equality, hash and text are shared functions.  The arguments mean what they mean there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


class _Missing:
    def __repr__(self) -> str:
        return "<missing>"


MISSING = _Missing()


class Field:
    """What `field` says about one member: how it is filled when it is not given, and where it shows."""

    __slots__ = ("compare", "default", "factory", "repr")

    def __init__(self, default: Any, factory: Any, *, repr: bool, compare: bool) -> None:  # noqa: A002
        self.default, self.factory, self.repr, self.compare = default, factory, repr, compare


def field(
    *,
    default: Any = MISSING,
    default_factory: Any = MISSING,
    repr: bool = True,  # noqa: A002
    compare: bool = True,
) -> Any:
    """A member with a default, or with a function that makes one; see `dataclasses.field`."""
    return Field(default, default_factory, repr=repr, compare=compare)


@dataclass_transform(field_specifiers=(field,))
def record(
    *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True
) -> Callable[[type[T]], type[T]]:
    """A class whose members are its annotations; see `dataclasses.dataclass`."""

    def make(cls: type[T]) -> type[T]:
        fields = _fields(cls)
        if slots:
            cls = _slotted(cls, fields)
        _dress(cls, fields, frozen=frozen, kw_only=kw_only, eq=eq)
        return cls

    return make


def replace(obj: T, /, **changes: Any) -> T:
    """A copy with some members changed."""
    cls = type(obj)
    for name in cls.__record_fields__:  # type: ignore[attr-defined]
        if name not in changes:
            changes[name] = getattr(obj, name)
    return cls(**changes)


def _fields(cls: type) -> dict[str, Field]:
    """The members in order, those of base classes first."""
    found: dict[str, Field] = {}
    for base in reversed(cls.__mro__[1:]):
        found |= getattr(base, "__record_fields__", {})
    given = cls.__dict__
    for name, kind in _annotations(cls):
        if name in given:
            default = given[name]
            default = default if isinstance(default, Field) else field(default=default)
        else:
            default = _PLAIN
        if not isinstance(kind, str) or not kind.startswith("ClassVar"):
            found[name] = default
    return found


_PLAIN: Field = field()
"""What is said of a member that has an annotation alone."""


def _annotations(cls: type) -> Iterator[tuple[str, Any]]:
    yield from cls.__dict__.get("__annotations__", {}).items()  # noqa: RUF063  `inspect` is what this module is without


def _slotted(cls: Any, fields: dict[str, Field]) -> Any:
    """The class again, with slots in place of a dictionary for each object."""
    inherited = {name for base in cls.__mro__[1:] for name in getattr(base, "__record_fields__", ())}
    body = {key: value for key, value in cls.__dict__.items() if key not in fields and key not in _OWN}
    body["__slots__"] = tuple(name for name in fields if name not in inherited)
    body["__qualname__"] = cls.__qualname__
    return type(cls)(cls.__name__, cls.__bases__, body)


_OWN = ("__dict__", "__weakref__")


def _dress(cls: Any, fields: dict[str, Field], *, frozen: bool, kw_only: bool, eq: bool) -> None:
    cls.__record_fields__ = fields
    if not kw_only:
        cls.__match_args__ = tuple(fields)  # type: ignore[misc]
    if "__repr__" not in cls.__dict__:
        cls.__repr__ = _repr
    if eq:
        compared = [name for name, one in fields.items() if one.compare]
        cls.__record_key__ = attrgetter(*compared) if compared else _nothing
        if "__eq__" not in cls.__dict__:
            cls.__eq__ = _eq
        if "__hash__" not in cls.__dict__ or cls.__dict__["__hash__"] is None:
            cls.__hash__ = _hash if frozen else None
    if frozen:
        cls.__setattr__, cls.__delattr__ = _frozen, _frozen

    if "__init__" not in cls.__dict__:
        cls.__init__ = _first_init(cls, fields, frozen=frozen, kw_only=kw_only)


FEW = 40
"""Writing an `__init__` takes as long as filling so many objects without one."""


def _first_init(cls: Any, fields: dict[str, Field], *, frozen: bool, kw_only: bool) -> Callable[..., None]:
    """What fills the first objects of a class, before it is worth code of its own."""
    made = 0
    post = hasattr(cls, "__post_init__")

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        nonlocal made
        made += 1
        if made > FEW or (args and kw_only) or not _filled(self, fields, args, kwargs):
            cls.__init__ = written = _written(fields, frozen=frozen, kw_only=kw_only, post=post)
            written(self, *args, **kwargs)
        elif post:
            self.__post_init__()

    return __init__


def _filled(obj: object, fields: dict[str, Field], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Set every member; False where the arguments do not fit, which written code then explains."""
    given = dict(zip(fields, args, strict=False)) | kwargs
    if len(given) != len(args) + len(kwargs):
        return False
    for name, one in fields.items():
        if name in given:
            value = given.pop(name)
        elif one.factory is not MISSING:
            value = one.factory()
        elif one.default is not MISSING:
            value = one.default
        else:
            return False
        object.__setattr__(obj, name, value)
    return not given


def _written(fields: dict[str, Field], *, frozen: bool, kw_only: bool, post: bool) -> Callable[..., None]:
    """`__init__` as code, for objects are made often."""
    names: dict[str, Any] = {"_missing": MISSING, "_set": object.__setattr__}
    arguments, lines = [], []
    for name, one in fields.items():
        value = name
        argument = name
        if one.factory is not MISSING:
            names[f"_make_{name}"] = one.factory
            argument, value = f"{name}=_missing", f"_make_{name}() if {name} is _missing else {name}"
        elif one.default is not MISSING:
            names[f"_default_{name}"] = one.default
            argument = f"{name}=_default_{name}"
        arguments.append(argument)
        lines.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if post:
        lines.append("self.__post_init__()")
    star = ["*"] if kw_only and arguments else []
    head = ", ".join(["self", *star, *arguments])
    body = "\n    ".join(lines or ["pass"])
    exec(f"def __init__({head}):\n    {body}\n", names)  # noqa: S102  our own annotations, nothing from outside
    return names["__init__"]  # type: ignore[no-any-return]


def _eq(self: Any, other: object) -> Any:
    if self.__class__ is not other.__class__:
        return NotImplemented
    key = type(self).__record_key__  # type: ignore[attr-defined]
    return key(self) == key(other)


def _hash(self: Any) -> int:
    return hash(self.__class__.__record_key__(self))


def _nothing(_: object) -> tuple[()]:
    return ()


def _repr(self: Any) -> str:
    return f"{self.__class__.__qualname__}({', '.join(_shown(self))})"


def _shown(self: Any) -> Iterator[str]:
    for name, one in self.__record_fields__.items():
        if one.repr:
            yield f"{name}={getattr(self, name)!r}"


def _frozen(self: object, name: str, *_: object) -> None:
    raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")
