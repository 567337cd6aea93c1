"""How much work a template may ask for.

ARM has limits of its own (800 copies, 4 MB); these keep a template that was made to exhaust a machine from
doing so, and are far beyond what real templates need.  They count steps, not seconds, so the same input
gives the same answer on every machine.
"""

from __future__ import annotations

from typing import Final

STEPS: Final = 3_000_000
"""Fifty times what the largest of some fourteen hundred public templates takes."""

VALUE_SIZE: Final = 500_000
VALUE_DEPTH: Final = 180
TEXT_LENGTH: Final = 4_000_000
CALLS: Final = 64
"""Named values and functions that may wait for each other."""


class BoundsError(Exception):
    """The template asks for more than anybody should compute."""


class Budget:
    """The steps that are left for one document."""

    __slots__ = ("depth", "left")

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps
        self.depth = 0

    def spend(self, steps: int = 1) -> None:
        """Take steps off; raise BoundsError where none are left."""
        self.left -= steps
        if self.left < 0:
            raise BoundsError(f"the template asks for more than {STEPS:,} steps of evaluation")

    def weigh(self, value: object) -> None:
        """Take off what it costs to walk a value once, shared parts each time they are met."""
        size = 0
        waiting: list[tuple[object, int]] = [(value, 1)]
        while waiting:
            one, depth = waiting.pop()
            size += 1 + (len(one) >> 5 if isinstance(one, str) else 0)
            if isinstance(one, list | dict):
                if depth > VALUE_DEPTH:
                    raise BoundsError(f"a value is nested deeper than {VALUE_DEPTH} levels")
                size += len(one)
                inside = one.values() if isinstance(one, dict) else one
                waiting.extend((item, depth + 1) for item in inside if isinstance(item, str | list | dict))
            if size > VALUE_SIZE:
                raise BoundsError(f"a value holds more than {VALUE_SIZE:,} parts")
        self.spend(size)

    def check_text(self, text: str) -> None:
        """Refuse text that is absurdly long."""
        if len(text) > TEXT_LENGTH:
            raise BoundsError(f"text grows beyond {TEXT_LENGTH:,} characters")
        self.spend(len(text) >> 5)
