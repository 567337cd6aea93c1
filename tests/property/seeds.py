"""The seeds of the random tests: the same every time, more of them on request."""

from __future__ import annotations

import os

MORE = int(os.environ.get("AKS_EGRESS_TEST_ROUNDS", "1"))
"""How many times as many random networks to try, for a long hunt."""


def seeds(count: int, start: int = 0) -> range:
    """`count` seeds from `start`, or that many times as many."""
    return range(start * MORE, start * MORE + count * MORE)
