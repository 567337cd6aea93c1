"""What the `load…` functions of Bicep read: files beside the source, inside the scanned root only."""

from __future__ import annotations

import base64
import codecs
import json
import re
from typing import Final

from aks_egress.values import Value
from aks_egress_scan.readers.base import MalformedError, Source
from aks_egress_scan.readers.bicep_lang.syntax import Expression, String
from aks_egress_scan.readers.bicep_lang.units import Unit
from aks_egress_scan.readers.json_text import load

FUNCTIONS: Final = frozenset(
    {"loadtextcontent", "loadfileasbase64", "loadjsoncontent", "loadyamlcontent", "loaddirectoryfileinfo"}
)

_ENCODINGS: Final = {
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "utf-16be": "utf-16-be",
    "utf-16": "utf-16",
    "utf-8": "utf-8-sig",
}
_STEP: Final = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']*)'\]")


class NotLoadedError(Exception):
    """The content cannot be had; the text says why."""


def content(function: str, unit: Unit, arguments: tuple[str | None, ...]) -> Value:
    """What a `load…` function answers; raises NotLoadedError, and MalformedError for broken content."""
    path = arguments[0] if arguments else None
    if path is None:
        raise NotLoadedError(f"the path that `{function}` reads is not plain text")
    if function == "loaddirectoryfileinfo":
        raise NotLoadedError("`loadDirectoryFileInfo` is not followed")
    source = unit.source.sibling(path)
    if source is None:
        raise NotLoadedError(f"the file `{path}` is not among the inputs")
    match function:
        case "loadtextcontent":
            return _text(source, _argument(arguments, 1))
        case "loadfileasbase64":
            return base64.b64encode(source.data).decode("ascii")
        case "loadjsoncontent":
            return _part(_json(source), _argument(arguments, 1), path)
    return _part(_yaml(source), _argument(arguments, 1), path)


def _argument(arguments: tuple[str | None, ...], position: int) -> str | None:
    return arguments[position] if len(arguments) > position else None


def _text(source: Source, encoding: str | None) -> str:
    wanted = _ENCODINGS.get((encoding or "utf-8").casefold())
    if wanted is None:
        raise NotLoadedError(f"the encoding `{encoding}` is not one that Bicep reads")
    if encoding is None and source.data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        wanted = "utf-16"
    try:
        return source.data.decode(wanted)
    except UnicodeDecodeError:
        raise MalformedError(f"the file is not {(encoding or 'utf-8').upper()} text", source.path) from None


def _json(source: Source) -> Value:
    found: Value = load(source, comments=True).value
    return found


def _yaml(source: Source) -> Value:
    try:
        import yaml  # type: ignore[import-untyped]  # only for those who read YAML
    except ImportError:
        raise NotLoadedError(
            "reading YAML needs the extra `bicep`: `pip install 'aks-egress[bicep]'`"
        ) from None
    try:
        found = yaml.safe_load(source.data)
        plain: Value = json.loads(json.dumps(found, default=str, allow_nan=False))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        raise MalformedError("the file is not YAML that can be loaded", source.path, line) from None
    return plain


def _part(value: Value, path: str | None, file: str) -> Value:
    """The part of the content at a simple JSON path (`$.a.b[0]`, `.a`)."""
    if not path:
        return value
    rest = path.removeprefix("$")
    rest = rest if rest[:1] in (".", "[", "") else f".{rest}"
    position = 0
    while position < len(rest):
        step = _STEP.match(rest, position)
        if step is None:
            raise NotLoadedError(f"the path `{path}` into `{file}` is not a simple one")
        name, number, quoted = step.groups()
        key = name if name is not None else quoted
        if number is not None and isinstance(value, list) and int(number) < len(value):
            value = value[int(number)]
        elif key is not None and isinstance(value, dict) and key in value:
            value = value[key]
        else:
            raise NotLoadedError(f"there is nothing at `{path}` in `{file}`")
        position = step.end()
    return value


def plain_text(expression: Expression) -> str | None:
    """The text of a plain string."""
    return expression.literal if isinstance(expression, String) else None


def escaped(value: Value) -> Value:
    """Content as a template holds it: text that looks like an expression is no expression."""
    match value:
        case str():
            return f"[{value}" if value.startswith("[") else value
        case list():
            return [escaped(item) for item in value]
        case dict():
            return {(f"[{key}" if key.startswith("[") else key): escaped(item) for key, item in value.items()}
    return value
