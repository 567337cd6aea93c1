"""Asking Azure Resource Graph: pages, batches of subscriptions, and its quota.

A user has some fifteen queries for every five seconds; each answer says how many are left and when the
count begins anew (`x-ms-user-quota-*`), so waiting comes before being throttled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from aks_egress.records import record
from aks_egress_scan.live.refusals import ODD, NoAnswerError
from aks_egress_scan.live.session import AGAIN

PAGE = 1000
"""The most rows that one answer may have."""

BATCH = 300
"""How many subscriptions one query names; Azure recommends fewer than 300 to 1000 is refused."""

LONGEST_WAIT = 60.0
"""Seconds that a quota is waited for; Azure's begins anew every five."""

TOO_MANY = "more than 10,000 subscriptions can be seen, and Azure leaves out the rest: name subscriptions or a management group"

Json = dict[str, Any]


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
        """Every row of a query; raises what the SDK raises, and NoAnswerError for what is cut short."""
        if not subscriptions:
            yield from self._batch(query, None, list(management_groups) or None)
        for first in range(0, len(subscriptions), BATCH):
            yield from self._batch(query, list(subscriptions[first : first + BATCH]), None)

    def _batch(self, query: str, subscriptions: list[str] | None, groups: list[str] | None) -> Iterator[Json]:
        token: str | None = None
        tokens: set[str] = set()
        seen: set[str] = set()
        while True:
            answer = self._page(query, subscriptions, groups, token)
            for row in _rows(answer):
                if row["id"].casefold() not in seen:
                    seen.add(row["id"].casefold())
                    yield row
            total = int(answer.total_records)
            self.told(len(seen), total)
            token = answer.skip_token
            if not token:
                if len(seen) < total or str(answer.result_truncated) == "true":
                    raise NoAnswerError(f"{len(seen)} of {total} rows came, and no way to the rest")
                return
            if token in tokens:
                raise NoAnswerError("its pages lead round in a circle")
            tokens.add(token)

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
        return self.client.resources(request, cls=self._noted, **AGAIN)

    def _noted(self, response: Any, answer: Any, _: Any) -> Any:
        """The answer; how long to wait before the next query is kept."""
        headers = response.http_response.headers
        left = headers.get("x-ms-user-quota-remaining", "1")
        self._wait = _seconds(headers.get("x-ms-user-quota-resets-after", "")) if left == "0" else 0.0
        if str(headers.get("x-ms-tenant-subscription-limit-hit", "")).casefold() == "true":
            raise NoAnswerError(TOO_MANY)
        return answer


def _rows(answer: Any) -> list[Json]:
    """The rows of an answer; raises NoAnswerError where it is none that Azure documents."""
    rows, total = getattr(answer, "data", None), getattr(answer, "total_records", None)
    if isinstance(rows, list) and isinstance(total, int) and all(_is_resource(row) for row in rows):
        return rows
    raise NoAnswerError(ODD)


def _is_resource(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("id"), str)
        and isinstance(row.get("properties"), dict | None)
    )


def _seconds(text: str) -> float:
    """`hh:mm:ss` in seconds, a minute at most; five where it is spelled otherwise."""
    try:
        hours, minutes, seconds = text.split(":")
        return min(LONGEST_WAIT, max(0.0, int(hours) * 3600 + int(minutes) * 60 + float(seconds)))
    except ValueError:
        return 5.0
