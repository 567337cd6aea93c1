"""Tunnel pods' logs from Log Analytics, for the moment when `kubectl logs` is what is broken.

Container Insights writes them to ContainerLogV2, older settings to ContainerLog, which knows no pod names
and is joined with KubePodInventory.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aks_egress_scan.live.seen import LogsSeen
from aks_egress_scan.live.session import Session, first_line

SPAN = timedelta(hours=6)
_PODS = "startswith 'konnectivity-agent' or {0} startswith 'aks-link' or {0} startswith 'tunnelfront'"
_TAIL = "| project TimeGenerated, PodName, Line | order by TimeGenerated desc | take 200"
QUERIES = {
    "ContainerLogV2": f"ContainerLogV2 | where PodNamespace == 'kube-system' | where PodName {_PODS.format('PodName')} | extend Line = tostring(LogMessage) {_TAIL}",
    "ContainerLog": f"ContainerLog | join kind=inner (KubePodInventory | where Namespace == 'kube-system' | where Name {_PODS.format('Name')} | distinct ContainerID, PodName = Name) on ContainerID | extend Line = LogEntry {_TAIL}",
}
NOTHING = "no lines of tunnel pods in Log Analytics: Container Insights leaves kube-system out unless its settings (`container-azm-ms-agentconfig`) say otherwise"


def workspace_logs(session: Session, cluster: str) -> LogsSeen:
    """The lines of the last hours that the cluster's workspace has; `cluster` is its resource id."""
    from azure.core.exceptions import AzureError

    client = session.logs()
    failures: list[str] = []
    for table, query in QUERIES.items():
        try:
            answer = client.query_resource(cluster, query, timespan=SPAN)
        except AzureError as error:
            failures.append(f"{table}: {first_line(getattr(error, 'message', '') or error)}"[:300])
            continue
        lines = tuple(_line(row) for one in _tables(answer) for row in one.rows)
        if lines:
            return LogsSeen(source=f"Log Analytics, table {table}", lines=lines)
    return LogsSeen(failures=(*failures, NOTHING) if len(failures) < len(QUERIES) else tuple(failures))


def _tables(answer: Any) -> Any:
    """The tables of an answer, whole or in part."""
    return getattr(answer, "tables", None) or getattr(answer, "partial_data", None) or ()


def _line(row: Any) -> str:
    return f"{row['PodName']}: {row['Line']}"
