"""YAML with the line of every part: strict where two parsers could disagree, bounded where one could run away."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from aks_egress.records import field, record
from aks_egress.values import Step, Value
from aks_egress_scan.readers.base import MalformedError, Source

_MOST: Final = 200_000
"""Nodes in one file, aliases counted where they are used."""

_DEEPEST: Final = 100
_TEXT: Final = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:binary")


@record(slots=True)
class YamlText:
    """The value of a YAML file, and the line (from 1) of each of its parts by their path."""

    path: str
    value: Value = None
    lines: dict[tuple[Step, ...], int] = field(default_factory=dict)

    def line_of(self, pointer: tuple[Step, ...]) -> int | None:
        """The line of the part at `pointer`, or of the nearest part around it; None where its first step leads nowhere."""
        for length in range(len(pointer), 0, -1):
            if pointer[:length] in self.lines:
                return self.lines[pointer[:length]]
        return None if pointer else 1


def load_yaml(source: Source) -> YamlText:
    """The YAML of a source.  Raises MalformedError with the line of what is off."""
    try:
        yaml: Any = import_module("yaml")
    except ImportError:
        raise MalformedError(
            "reading Pulumi YAML needs the extra `pulumi`: `pip install 'aks-egress[pulumi]'`", source.path
        ) from None
    try:
        text = source.data.decode("utf-8-sig")
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
    except UnicodeDecodeError:
        raise MalformedError("this is not text in UTF-8", source.path) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = str(getattr(error, "problem", "") or "not to be read")
        raise MalformedError(f"broken YAML: {said}", source.path, mark.line + 1 if mark else None) from None
    except (RecursionError, ValueError):
        raise MalformedError("broken YAML: nested too deeply", source.path) from None
    out = YamlText(source.path)
    if node is not None:
        out.value = _Walk(loader, out, yaml.YAMLError).value(node, ())
    return out


class _Walk:
    """Turns nodes into plain data."""

    def __init__(self, loader: Any, out: YamlText, error: type[Exception]) -> None:
        self._loader, self._out, self._error = loader, out, error
        self._count = 0

    def value(self, node: Any, path: tuple[Step, ...]) -> Value:
        line = node.start_mark.line + 1
        self._out.lines.setdefault(path, line)
        self._count += 1
        if self._count > _MOST or len(path) > _DEEPEST:
            raise MalformedError("the YAML is too large or nested too deeply", self._out.path, line)
        if node.id == "mapping":
            return self._mapping(node, path)
        if node.id == "sequence":
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, line)

    def _mapping(self, node: Any, path: tuple[Step, ...]) -> Value:
        self._loader.flatten_mapping(node)
        found: dict[str, Value] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            if key.id != "scalar":
                raise MalformedError("broken YAML: a key is no text", self._out.path, line)
            if key.value in found:
                raise MalformedError(
                    f"broken YAML: the key `{key.value}` occurs twice in one mapping", self._out.path, line
                )
            self._out.lines.setdefault((*path, key.value), line)
            found[key.value] = self.value(item, (*path, key.value))
        return found

    def _scalar(self, node: Any, line: int) -> Value:
        if node.tag in _TEXT:
            return str(node.value)
        try:
            made = self._loader.construct_object(node)
        except (ValueError, self._error):
            raise MalformedError(
                f"broken YAML: `{node.value}` is not to be read", self._out.path, line
            ) from None
        return made if made is None or isinstance(made, bool | int | float | str) else str(node.value)
