"""Base64, data URIs and URIs.

Microsoft: "String functions for ARM templates".
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote, unquote, urljoin, urlsplit

from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.expressions.functions.json_forms import parsed
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError, define
from aks_egress_scan.readers.expressions.unsettled import composed, spelled


@define("base64", "string")
def _base64(text: str) -> Value:
    return base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")


def _decoded(name: str, text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise FunctionProblemError(f"`{name}` takes base64 of text") from None


@define("base64ToString", "string")
def _base64_to_string(text: str) -> Value:
    return _decoded("base64ToString", text)


@define("base64ToJson", "string")
def _base64_to_json(text: str) -> Value:
    return parsed("base64ToJson", _decoded("base64ToJson", text))


@define("dataUri", "string|int|bool|array|object", whole=True)
def _data_uri(value: Value) -> Value:
    kind = "application/json" if isinstance(value, list | dict) else "text/plain"
    encoded = base64.b64encode(spelled(value).encode("utf-8", "replace")).decode("ascii")
    return f"data:{kind};charset=utf8;base64,{encoded}"


_DATA_URI = re.compile(r"data:[^,]*?(;base64)?,(.*)", re.DOTALL | re.IGNORECASE)


@define("dataUriToString", "string")
def _data_uri_to_string(text: str) -> Value:
    found = _DATA_URI.fullmatch(text)
    if found is None:
        raise FunctionProblemError("`dataUriToString` takes a data URI")
    return _decoded("dataUriToString", found[2]) if found[1] else unquote(found[2])


@define("uriComponent", "string")
def _uri_component(text: str) -> Value:
    return quote(text, safe="")


@define("uriComponentToString", "string")
def _uri_component_to_string(text: str) -> Value:
    return unquote(text)


@define("uri", "string, string", partial=True)
def _uri(base: Value, relative: Value) -> Value:
    if isinstance(base, Unknown) or isinstance(relative, Unknown):
        start, tail = spelled(base), spelled(relative)
        joined = (
            f"{start.rstrip('/')}/{tail.lstrip('/')}"
            if start[-1:] in ("/", "}")
            else start.rpartition("/")[0] + "/" + tail
        )
        return composed("uri", joined, (base, relative))
    try:
        return urljoin(str(base), str(relative))
    except ValueError:
        raise FunctionProblemError("`uri` takes an address and a relative path") from None


@define("buildUri", "object", whole=True)
def _build_uri(parts: dict[str, Value]) -> Value:
    """`scheme`, `host`, `port`, `path` and `query` as one address."""
    given = {key.casefold(): value for key, value in parts.items()}
    port = f":{given['port']}" if given.get("port") is not None else ""
    query = f"?{given['query']}" if given.get("query") else ""
    path = str(given.get("path") or "/")
    return f"{given.get('scheme', 'https')}://{given.get('host', '')}{port}/{path.lstrip('/')}{query}"


@define("parseUri", "string")
def _parse_uri(text: str) -> Value:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise FunctionProblemError("`parseUri` takes an address") from None
    return {
        "scheme": parts.scheme,
        "host": parts.hostname or "",
        "port": port,
        "path": parts.path,
        "query": parts.query,
    }
