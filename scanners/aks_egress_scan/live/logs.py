"""Tunnel pods' logs from Log Analytics, for the moment when `kubectl logs` is what is broken.

Container Insights writes them to ContainerLogV2, older settings to ContainerLog, which knows no pod names
and is joined with KubePodInventory.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aks_egress_scan.live.asking import side_by_side
from aks_egress_scan.live.blotted import blotted
from aks_egress_scan.live.seen import LogsSeen
from aks_egress_scan.live.session import Session, first_line

SPAN = timedelta(hours=6)
SERVER, ALL = 30, 60
"""Seconds that the server may work on one query, and that one is waited for with everything that is tried again."""

_OF_TUNNELS = "({0} startswith 'konnectivity-agent' or {0} startswith 'aks-link' or {0} startswith 'tunnelfront') and {0} !startswith 'konnectivity-agent-autoscaler'"
_TAIL = "| project TimeGenerated, PodName, Line | order by TimeGenerated desc | take 200"
QUERIES = {
    "ContainerLogV2": f"ContainerLogV2 | where PodNamespace == 'kube-system' | where {_OF_TUNNELS.format('PodName')} | extend Line = tostring(LogMessage) {_TAIL}",
    "ContainerLog": f"ContainerLog | join kind=inner (KubePodInventory | where Namespace == 'kube-system' | where {_OF_TUNNELS.format('Name')} | summarize by ContainerID, PodName = Name) on ContainerID | extend Line = LogEntry {_TAIL}",
}
NOTHING = "no lines of tunnel pods in Log Analytics within 6 hours: Container Insights leaves kube-system out unless its settings (`container-azm-ms-agentconfig`) say otherwise"
NO_TABLES = "Log Analytics has no logs of this cluster: Container Insights is off, or writes to a workspace that has neither ContainerLogV2 nor ContainerLog (`az aks enable-addons --addons monitoring` turns it on)"
REFUSED = (
    "grant `Log Analytics Reader` on the workspace of Container Insights, and read rights on the cluster"
)


def workspace_logs(session: Session, cluster: str) -> LogsSeen:
    """The lines of the last hours that the cluster's workspace has; `cluster` is its resource id."""
    client = session.logs()
    reasons: dict[str, list[str]] = {}
    for table, query in QUERIES.items():
        found, why = _asked(client, cluster, query)
        for one in why:
            reasons.setdefault(one, []).append(table)
        if found:
            lines, until = tuple(line for _, line in found), found[0][0]
            return LogsSeen(
                source=f"Log Analytics, table {table}", until=until, lines=lines, failures=_told(reasons)
            )
    return LogsSeen(failures=_none(reasons))


Line = tuple[str, str]
"""When it was written, and what it says."""


def _asked(client: Any, cluster: str, query: str) -> tuple[list[Line], list[str]]:
    """The lines of one table, the newest first, and what is wrong with the answer."""

    def ask() -> tuple[list[Line], list[str]]:
        answer = client.query_resource(cluster, query, timespan=SPAN, server_timeout=SERVER, retry_total=2)
        return _lines(answer), _partly(answer)

    answer = side_by_side({"query": ask}, ALL)["query"]
    return ([], [_said(answer)]) if isinstance(answer, Exception) else answer


def _told(reasons: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Each reason once; that a workspace has only one of the two tables is none."""
    return tuple(
        f"Log Analytics, {' and '.join(tables)}: {why}"
        for why, tables in reasons.items()
        if _MISSING not in why
    )


def _none(reasons: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Why there are no lines: the tables are not there, were not answered, or hold none."""
    missing = sum(len(tables) for why, tables in reasons.items() if _MISSING in why)
    if missing == len(QUERIES):
        return (NO_TABLES,)
    asked_in_vain = sum(len(tables) for tables in reasons.values())
    return _told(reasons) + ((NOTHING,) if asked_in_vain - missing < len(QUERIES) - missing else ())


def _lines(answer: Any) -> list[Line]:
    """The lines of an answer, whole or in part; an exception where it is not a table of lines."""
    tables = getattr(answer, "tables", None) or getattr(answer, "partial_data", None) or ()
    rows = (row for one in tables for row in one.rows)
    return [(str(row["TimeGenerated"]), blotted(f"{row['PodName']}: {row['Line']}")) for row in rows]


def _partly(answer: Any) -> list[str]:
    error = getattr(answer, "partial_error", None)
    return [] if error is None else [f"the answer is not whole: {_said(error)}"]


_MISSING = "SEM0100"


def _said(error: Any) -> str:
    """What is wrong, in the words of the innermost cause: the outer ones only say that something is."""
    status = getattr(error, "status_code", None)
    text = first_line(_innermost(error) or getattr(error, "message", "") or error)
    hint = f": {REFUSED}" if status in (401, 403) else ""
    return blotted(text)[:300] + hint


def _innermost(error: Any) -> str:
    inner = getattr(error, "error", None)
    cause: Any = getattr(inner, "innererror", None) or getattr(error, "innererror", None)
    words = ""
    while isinstance(cause, dict):
        if cause.get("message"):
            words = f"{cause.get('code', '')}: {cause['message']}".removeprefix(": ")
        cause = cause.get("innererror")
    return words
