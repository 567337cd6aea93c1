"""Functions that encode, decode and hash."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import uuid
from collections.abc import Callable
from typing import Final
from urllib.parse import quote_plus

from aks_egress_scan.readers.hcl.functions.function import Function
from aks_egress_scan.readers.hcl.functions.json_form import from_json, json_text
from aks_egress_scan.readers.hcl.functions.yaml_form import from_yaml, yaml_text
from aks_egress_scan.readers.hcl.terms import ListTerm, ProblemError, Term


def _unbase64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (ValueError, UnicodeDecodeError):
        raise ProblemError("the text is not base64 of UTF-8 text") from None


def _csv(text: str) -> Term:
    try:
        rows = [row for row in csv.reader(io.StringIO(text), strict=True) if row]
    except csv.Error:
        raise ProblemError("the text is no CSV") from None
    if not rows:
        raise ProblemError("the text holds no CSV header")
    head = rows[0]
    if len(set(head)) != len(head) or any(len(row) != len(head) for row in rows):
        raise ProblemError("the CSV has rows that do not fit its header")
    return ListTerm(dict(zip(head, row, strict=True)) for row in rows[1:])


def _encoded(text: str, encoding: str) -> str:
    try:
        return base64.b64encode(text.encode(encoding)).decode("ascii")
    except (LookupError, UnicodeError):
        raise ProblemError("the text cannot be spelled in that encoding") from None


def _decoded(text: str, encoding: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode(encoding)
    except (LookupError, ValueError):
        raise ProblemError("the text cannot be read in that encoding") from None


def digest(name: str, *, as_base64: bool = False) -> Callable[[bytes], str]:
    """The hash of bytes, as hexadecimal or base64."""

    def compute(data: bytes) -> str:
        made = hashlib.new(name, data, usedforsecurity=False)
        return base64.b64encode(made.digest()).decode("ascii") if as_base64 else made.hexdigest()

    return compute


def _of_text(compute: Callable[[bytes], str]) -> Callable[[str], str]:
    return lambda text: compute(text.encode("utf-8", "replace"))


_SPACES: Final = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}


def _uuidv5(space: str, name: str) -> str:
    try:
        return str(uuid.uuid5(_SPACES.get(space) or uuid.UUID(space), name))
    except ValueError:
        raise ProblemError("the text is no namespace of a UUID") from None


FUNCTIONS: Final = (
    Function("base64decode", _unbase64, ("string",)),
    Function("base64encode", lambda text: _encoded(text, "utf-8"), ("string",)),
    Function("base64sha256", _of_text(digest("sha256", as_base64=True)), ("string",)),
    Function("base64sha512", _of_text(digest("sha512", as_base64=True)), ("string",)),
    Function("csvdecode", _csv, ("string",)),
    Function("jsondecode", from_json, ("string",)),
    Function("jsonencode", json_text, ("any",), nullable=True),
    Function("md5", _of_text(digest("md5")), ("string",)),
    Function("sha1", _of_text(digest("sha1")), ("string",)),
    Function("sha256", _of_text(digest("sha256")), ("string",)),
    Function("sha512", _of_text(digest("sha512")), ("string",)),
    Function("textdecodebase64", _decoded, ("string", "string")),
    Function("textencodebase64", _encoded, ("string", "string")),
    Function("urlencode", lambda text: quote_plus(text, safe="~"), ("string",)),
    Function("uuidv5", _uuidv5, ("string", "string")),
    Function("yamldecode", from_yaml, ("string",)),
    Function("yamlencode", yaml_text, ("any",), nullable=True),
)
