"""Asking Azure Resource Graph: pages, batches of subscriptions, and its quota.

A user has some fifteen queries for every five seconds; each answer says how many are left and when the
count begins anew (`x-ms-user-quota-*`), so waiting comes before being throttled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from aks_egress.records import record

PAGE = 1000
"""The most rows that one answer may have."""

BATCH = 300
"""How many subscriptions one query names; Azure recommends fewer than 300 to 1000 is refused."""

Json = dict[str, Any]


class TruncatedError(Exception):
    """An answer that says that it is cut short, without a way to the rest."""


@record(slots=True)
class ResourceGraph:
    """Queries over some subscriptions, management groups, or everything that can be seen.

    `asked` counts requests.  `told` hears of rows as they come: how many so far and how many in all.
    """

    client: Any
    told: Callable[[int, int], None]
    sleep: Callable[[float], None] = time.sleep
    asked: int = 0
    _wait: float = 0.0

    def rows(
        self, query: str, subscriptions: Sequence[str] = (), management_groups: Sequence[str] = ()
    ) -> Iterator[Json]:
        """Every row of a query; raises what the SDK raises, and TruncatedError."""
        if not subscriptions:
            yield from self._batch(query, None, list(management_groups) or None)
        for first in range(0, len(subscriptions), BATCH):
            yield from self._batch(query, list(subscriptions[first : first + BATCH]), None)

    def _batch(self, query: str, subscriptions: list[str] | None, groups: list[str] | None) -> Iterator[Json]:
        token: str | None = None
        seen = 0
        while True:
            answer = self._page(query, subscriptions, groups, token)
            rows = answer.data if isinstance(answer.data, list) else []
            yield from rows
            seen += len(rows)
            total = answer.total_records or 0
            self.told(seen, total)
            token = answer.skip_token
            if not token:
                if seen < total or str(answer.result_truncated) == "true":
                    raise TruncatedError(f"{seen} of {total} rows came, and no way to the rest")
                return

    def _page(
        self, query: str, subscriptions: list[str] | None, groups: list[str] | None, token: str | None
    ) -> Any:
        from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

        if self._wait:
            self.sleep(self._wait)
        request = QueryRequest(
            query=query,
            subscriptions=subscriptions,
            management_groups=groups,
            options=QueryRequestOptions(result_format="objectArray", top=PAGE, skip_token=token),
        )
        self.asked += 1
        return self.client.resources(request, cls=self._noted)

    def _noted(self, response: Any, answer: Any, _: Any) -> Any:
        """The answer; how long to wait before the next query is kept."""
        headers = response.http_response.headers
        left = headers.get("x-ms-user-quota-remaining", "1")
        self._wait = _seconds(headers.get("x-ms-user-quota-resets-after", "")) if left == "0" else 0.0
        return answer


def _seconds(text: str) -> float:
    """`hh:mm:ss` in seconds; five where it is spelled otherwise."""
    try:
        hours, minutes, seconds = text.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return 5.0
