"""Azure on the loopback interface: answers over HTTP as Resource Manager and Resource Graph do.

The real SDK clients talk to it.  `Azure.resources` is what exists; the other members make it behave as
Azure does on a bad day.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy

from aks_egress_scan.live.clouds import CLOUDS
from aks_egress_scan.live.session import Session

Json = dict[str, Any]


class Odd:
    """An answer as a bad day gives it: any bytes; with `cut` the connection ends after so many of them."""

    def __init__(self, status: int, data: Any = b"", *, cut: int | None = None, **headers: str) -> None:
        self.status, self.cut = status, cut
        self.data = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


_TABLES = {
    "microsoft.network/effectivesecurityadminrules": "networkresources",
    "microsoft.network/firewallpolicies/rulecollectiongroups": "networkresources",
    "microsoft.kubernetesconfiguration/extensions": "kubernetesconfigurationresources",
    "microsoft.kubernetesconfiguration/fluxconfigurations": "kubernetesconfigurationresources",
}
_QUOTED = re.compile(r"'([^']*)'")
_ONLY = re.compile(r"\(type =~ '([^']*)' and \(")
#: the terms of conditions that Resource Graph evaluates; names of properties have their case there
_TERMS: dict[str, Callable[[Any, str], bool]] = {
    r"isnotnull\((.*)\)()": lambda value, _: value is not None,
    r"isnotempty\((.*)\)()": lambda value, _: value not in (None, ""),
    r"array_length\((.*)\) > 0()": lambda value, _: isinstance(value, list) and bool(value),
    r"(\S+) == true()": lambda value, _: value is True,
    r"(\S+) =~ '(.*)'": lambda value, text: str(value).casefold() == text.casefold(),
    r"(\S+) contains '(.*)'": lambda value, text: text.casefold() in json.dumps(value).casefold(),
}


class Azure:
    """What exists, and what goes wrong.

    `hidden` ids are left out by Resource Graph; `refused` paths (parts of them) answer 403, `gone` 404.
    `throttled` counts down answers 429.  `broken` paths answer with half a JSON value, `slow` ones late.
    `odd` may answer a request (its path and body) itself.  Subscriptions that are `unseen` are left out by
    Resource Graph with all that is in them.
    """

    def __init__(self, resources: list[Json] = (), *, page: int = 1000) -> None:  # type: ignore[assignment]
        self.resources = {one["id"].casefold(): one for one in resources}
        self.page = page
        self.hidden: set[str] = set()
        self.refused: list[str] = []
        self.gone: list[str] = []
        self.unregistered: list[str] = []
        self.throttled = 0
        #: how many answers count a row more than they give: one that went while pages were read
        self.miscounted = 0
        self.retry_after = "0"
        self.quota, self.resets = "10", "00:00:00"
        self.broken: dict[str, int] = {}
        self.slow: dict[str, float] = {}
        self.dependencies: list[Json] = []
        self.admin_rules: dict[str, list[Json]] = {}
        self.children: dict[str, list[Json]] = {}
        self.service_tags: Json = {}
        self.effective: Json = {"rules": [], "routes": []}
        #: table -> rows (time, pod, line); a table that is not there is not known to the workspace
        self.logs: dict[str, list[list[str]]] = {}
        self.counts: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.bodies: list[Json] = []
        self.unseen: set[str] = set()
        #: method and path of every request
        self.asked: list[tuple[str, str]] = []
        self.on_request: Callable[[str], None] = lambda path: None
        self.odd: Callable[[str, bytes], Odd | None] = lambda path, body: None
        self.lock = threading.Lock()

    def rows(self, query: str, subscriptions: list[str] | None) -> list[Json]:
        """The rows of a query, by table, types, the condition of each type, and the names and groups that it lists."""
        table = query.split(" | ", maxsplit=1)[0]
        quoted = {text.casefold() for text in _QUOTED.findall(query)}
        wanted = {one.casefold() for one in subscriptions or ()}
        if table == "resourcecontainers":
            seen = wanted or {key.split("/")[2] for key in self.resources}
            return [_container(one) for one in sorted(seen - self.unseen)]
        only = _conditions(query)
        out = []
        for key, one in sorted(self.resources.items()):
            kind = one["type"].casefold()
            parts = key.split("/")
            if _TABLES.get(kind, "resources") != table or kind not in quoted or key in self.hidden:
                continue
            if parts[2] in self.unseen or (wanted and parts[2] not in wanted):
                continue
            if kind in only and not _holds(only[kind], one):
                continue
            if "resourceGroup in~" in query and parts[4] not in quoted:
                continue
            if "name in~" in query and parts[-1] not in quoted:
                continue
            out.append(one)
        return out


def _conditions(query: str) -> dict[str, str]:
    """What a query asks of the resources of single types."""
    found = {}
    for match in _ONLY.finditer(query):
        depth, end = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(query[end], 0)
            end += 1
        found[match[1]] = query[match.end() : end - 1]
    return found


def _holds(condition: str, row: Json) -> bool:
    """Whether a row fits one of the terms; a term of another form than those above fails the test."""
    said = []
    for term in condition.split(" or "):
        form, match = next((form, found) for form in _TERMS if (found := re.fullmatch(form, term)))
        said.append(_TERMS[form](_at(row, match[1]), match[2]))
    return any(said)


def _at(row: Json, path: str) -> Any:
    """The value at `properties.a.b` or `tags['a']`."""
    value: Any = row
    for name in re.findall(r"[\w-]+", path):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _container(subscription: str) -> Json:
    return {
        "id": f"/subscriptions/{subscription}",
        "type": "microsoft.resources/subscriptions",
        "properties": {},
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Who asked may have gone away meanwhile; tests look at what the others saw."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    azure: Azure
    server: ThreadingHTTPServer

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        azure, url = self.azure, urlparse(self.path)
        path, query = url.path.casefold(), parse_qs(url.query)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        azure.on_request(path)
        with azure.lock:
            azure.counts[_word(path)] += 1
            azure.kinds[_kind(path)] += 1
            azure.asked.append((method, path))
            throttled, azure.throttled = azure.throttled > 0, max(0, azure.throttled - 1)
        odd = azure.odd(path, body)
        if odd is not None:
            self._oddly(odd)
        elif throttled:
            self._error(429, "TooManyRequests", headers={"Retry-After": azure.retry_after})
        elif any(part.casefold() in path for part in azure.refused):
            self._error(403, "AuthorizationFailed")
        elif any(part.casefold() in path for part in azure.gone):
            self._error(404, "ResourceNotFound")
        elif any(part.casefold() in path for part in azure.unregistered):
            self._error(409, "MissingSubscriptionRegistration")
        else:
            time.sleep(next((wait for part, wait in azure.slow.items() if part.casefold() in path), 0))
            self._route(method, path, query, body)

    def _route(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> None:
        azure, base = self.azure, f"http://127.0.0.1:{self.server.server_port}"
        if path.endswith("/microsoft.resourcegraph/resources"):
            self._graph(json.loads(body))
        elif path.endswith("/outboundnetworkdependenciesendpoints"):
            self._paged(azure.dependencies, path, query, base)
        elif path.endswith("/listnetworkmanagereffectivesecurityadminrules"):
            self._admin_rules(azure.admin_rules.get(path.rsplit("/", 1)[0], []), json.loads(body))
        elif path.endswith(("/effectivenetworksecuritygroups", "/effectiveroutetable")):
            word = "rules" if path.endswith("groups") else "routes"
            where = f"{base}/operationresults/{word}?api-version=1"
            self._send(202, {}, {"Location": where, "Retry-After": "0"})
        elif path.startswith("/v1/") and path.endswith("/query"):
            self._logs(json.loads(body)["query"])
        elif path.startswith("/operationresults/"):
            self._polled(path)
        elif path.endswith("/servicetags") and azure.service_tags:
            self._send(200, azure.service_tags)
        elif path in azure.children:
            self._paged(azure.children[path], path, query, base)
        elif path in azure.resources and method == "GET":
            self._send(200, azure.resources[path])
        else:
            self._error(404, "ResourceNotFound")

    def _admin_rules(self, rules: list[Json], asked: Json) -> None:
        first = int(asked.get("skipToken") or 0)
        answer: Json = {"value": rules[first : first + self.azure.page]}
        if first + self.azure.page < len(rules):
            answer["skipToken"] = str(first + self.azure.page)
        self._send(200, answer)

    def _polled(self, path: str) -> None:
        word = path.rsplit("/", 1)[-1]
        with self.azure.lock:
            self.azure.counts[f"polled {word}"] += 1
            first = self.azure.counts[f"polled {word}"] % 2 == 1
        if first:
            where = f"http://127.0.0.1:{self.server.server_port}{path}?api-version=1"
            self._send(202, {}, {"Location": where, "Retry-After": "0"})
        else:
            self._send(200, {"value": self.azure.effective[word]})

    def _graph(self, asked: Json) -> None:
        azure = self.azure
        azure.bodies.append(asked)
        rows = azure.rows(asked["query"], asked.get("subscriptions"))
        token = (asked.get("options") or {}).get("$skipToken")
        first = int(token) if token else 0
        page = rows[first : first + azure.page]
        more = first + azure.page < len(rows)
        answer = {"totalRecords": len(rows), "count": len(page), "data": page, "facets": []}
        answer["resultTruncated"] = "false"
        if azure.miscounted and not more and len(rows) > 1:
            azure.miscounted -= 1
            answer["totalRecords"] = len(rows) + 1
        if more:
            answer["$skipToken"] = str(first + azure.page)
        quota = {"x-ms-user-quota-remaining": azure.quota, "x-ms-user-quota-resets-after": azure.resets}
        self._send(200, answer, quota)

    def _logs(self, query: str) -> None:
        """Log Analytics: the rows of the table that a query begins with."""
        table = query.split(" ", maxsplit=1)[0]
        if table not in self.azure.logs:
            inner = {"code": "SEM0100", "message": f"Failed to resolve table expression named '{table}'"}
            error = {"code": "BadArgumentError", "message": "The request had some invalid properties"}
            self._send(
                400, {"error": {**error, "innererror": {"code": "SemanticError", "innererror": inner}}}
            )
            return
        columns = [{"name": name, "type": "string"} for name in ("TimeGenerated", "PodName", "Line")]
        rows = self.azure.logs[table]
        self._send(200, {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})

    def _paged(self, rows: list[Json], path: str, query: dict[str, list[str]], base: str) -> None:
        first = int(query.get("from", ["0"])[0])
        page = rows[first : first + self.azure.page]
        answer: Json = {"value": page}
        if first + self.azure.page < len(rows):
            answer["nextLink"] = f"{base}{path}?api-version=1&from={first + self.azure.page}"
        self._send(200, answer)

    def _error(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        self._send(status, {"error": {"code": code, "message": f"{code}: {self.path}"}}, headers)

    def _oddly(self, odd: Odd) -> None:
        self.send_response(odd.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(odd.data)), **odd.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(odd.data[: odd.cut])
        self.close_connection = self.close_connection or odd.cut is not None

    def _send(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(answer).encode()
        for part, left in self.azure.broken.items():
            if part.casefold() in self.path.casefold() and left > 0:
                self.azure.broken[part] = left - 1
                data = data[: len(data) // 2]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _word(path: str) -> str:
    """What kind of request it is, for counting."""
    return "graph" if "resourcegraph" in path else path.rsplit("/", 1)[-1] if "/list" in path else "one"


def _kind(path: str) -> str:
    """The kind of request, for people."""
    if "resourcegraph" in path:
        return "Resource Graph queries"
    return {
        "outboundnetworkdependenciesendpoints": "endpoints that a cluster says it needs",
        "listnetworkmanagereffectivesecurityadminrules": "admin rules in effect over a network",
    }.get(path.rsplit("/", 1)[-1], "single resources")


class Credential:
    """Somebody who is signed in."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        """A token that the server takes."""
        return AccessToken("token", int(time.time()) + 3600)


class _Plain(SansIOHTTPPolicy[Any, Any]):
    """The token without TLS, which the SDKs refuse to send for good reasons."""

    def on_request(self, request: Any) -> None:
        request.http_request.headers["Authorization"] = "Bearer token"


@contextmanager
def running(azure: Azure, **options: Any) -> Iterator[Session]:
    """The server, and a session with it."""
    handler = type("Handler", (_Handler,), {"azure": azure})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield session_with(f"http://127.0.0.1:{server.server_port}", **options)
    finally:
        server.shutdown()
        server.server_close()


def session_with(endpoint: str, **options: Any) -> Session:
    """A session of the real SDK clients with a server on the loopback interface."""
    usual: Json = {"polling_interval": 0, "retry_backoff_factor": 0.01, "retry_total": 3}
    return Session(
        CLOUDS["public"],
        Credential(),
        endpoint=endpoint,
        logs_endpoint=endpoint,
        policy=_Plain(),
        **{**usual, **options},
    )
