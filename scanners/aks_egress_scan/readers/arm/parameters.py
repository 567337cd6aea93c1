"""Parameter values from files and from the command line, as the parameters of a template.

Two forms of file: `{"$schema": …, "parameters": {"name": {"value": …}}}` and `{"name": {"value": …}}`.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from aks_egress.values import Unknown, Value, get
from aks_egress_scan.readers.arm.template import declared_type
from aks_egress_scan.readers.base import MalformedError, Parameters, Source
from aks_egress_scan.readers.expressions.unsettled import Unsettled
from aks_egress_scan.readers.json_text import load

_OF_OTHERS: Final = (".bicepparam", ".tfvars", ".tfvars.json", ".yaml", ".yml", ".toml")
_OF_DEPLOYMENT: Final = re.compile(
    r"(resourceGroup|subscription|deployment|environment|tenant)\(\)\.\w+", re.IGNORECASE
)


def given_values(parameters: Parameters, template: dict[str, Any]) -> dict[str, Value]:
    """Values by lower-case parameter name; single values win over files, later files over earlier ones.

    Raises MalformedError for a file that is no parameter file and for a value that does not fit its type.
    """
    found: dict[str, Value] = {}
    for source in parameters.files:
        if not source.path.casefold().endswith(_OF_OTHERS):
            found |= file_values(source)
    declared = get(template, "parameters")
    for name, text in parameters.values:
        row = get(declared, name) if isinstance(declared, dict) else None
        if row is not None:
            found[name.casefold()] = _typed(name, text, declared_type(template, row))
    return found


def options(parameters: Parameters) -> dict[str, Value]:
    """What the command line says of the deployment itself, such as `resourceGroup().location=westeurope`."""
    return {
        name.casefold(): text for name, text in parameters.values if _OF_DEPLOYMENT.fullmatch(name.strip())
    }


def file_values(source: Source) -> dict[str, Value]:
    """The values in a parameter file, by lower-case name; secrets in a key vault are unknown."""
    text = load(source, comments=True)
    rows, pointer = text.value, ()
    wrapped = get(rows, "parameters")
    if isinstance(wrapped, dict) and get(wrapped, "value") is None:
        rows = wrapped
    if not isinstance(rows, dict):
        raise MalformedError(
            "a parameter file is an object with `parameters`", source.path, text.line_of(pointer)
        )
    found: dict[str, Value] = {}
    for name, row in rows.items():
        if isinstance(row, dict) and any(key.casefold() == "value" for key in row):
            found[name.casefold()] = get(row, "value")
        elif isinstance(row, dict) and get(row, "reference") is not None:
            found[name.casefold()] = Unsettled(
                f"parameter `{name}` is a secret in a key vault", spelling=f"{{{name}}}"
            )
        elif rows is wrapped:
            line = text.line_of(("parameters", name))
            raise MalformedError(f"parameter `{name}` has neither `value` nor `reference`", source.path, line)
        elif isinstance(row, dict) or "$schema" not in rows:
            raise MalformedError("this is no parameter file: `parameters` is missing", source.path, 1)
    return found


def is_parameter_file(value: Value) -> bool:
    """Whether a JSON document is a parameter file rather than a template."""
    schema = get(value, "$schema")
    if isinstance(schema, str) and "deploymentparameters" in schema.casefold():
        return True
    return isinstance(get(value, "parameters"), dict) and get(value, "resources") is None and not schema


def _typed(name: str, text: str, kind: str) -> Value:
    if kind in ("securestring", "secureobject"):
        return Unknown(f"parameter `{name}` is a secret")
    if kind == "string" or not kind:
        return text
    try:
        value: Value = json.loads(text)
    except (ValueError, RecursionError):
        value = {"true": True, "false": False}.get(text.casefold()) if kind == "bool" else None
        if value is None:
            said = f"`--param {name}`: a value of the type `{kind}` is expected, as JSON"
            raise MalformedError(said, "--param") from None
    fits = {"int": int, "bool": bool, "array": list, "object": dict}.get(kind)
    if fits is not None and (not isinstance(value, fits) or (kind == "int" and isinstance(value, bool))):
        raise MalformedError(
            f"`--param {name}`: a value of the type `{kind}` is expected, as JSON", "--param"
        )
    return value
