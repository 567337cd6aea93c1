"""What is said where definitions are laid over a picture of what runs: what came from where, and how old it is.

A report says the same of the same inputs, so it names times, and compares the inputs' own.  How long ago
that was is said on standard error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from aks_egress.arm.resources import Document, Kind

#: from this age on people hear that a picture is old
OLD: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)

#: what a dialect leaves unsaid about what will no longer be there
_UNSAID: Final = {
    Kind.ARM_TEMPLATE: "it is taken to be deployed in incremental mode, which deletes nothing",
    Kind.BICEP: "it is taken to be deployed in incremental mode, which deletes nothing",
    Kind.TERRAFORM_SOURCE: "source does not say what it no longer holds, so that counts as running; a plan says it",
}


def explain(documents: Sequence[Document], say: Callable[[str], None]) -> None:
    """Add to each picture what is laid over it, and to each definition what it leaves unsaid.

    `say` hears of pictures that are old by now.
    """
    pictures = [one for one in documents if one.runs]
    plans = [one for one in documents if not one.runs and (one.resources or one.deleted)]
    for picture in pictures:
        if plans:
            picture.remarks = (*picture.remarks, *_laid_over(picture, plans))
        age = _age(picture)
        if age is not None and age >= OLD:
            say(
                f"`{picture.path}` was made {_days(age)} ago: what has changed since is not seen; make it anew"
            )
    for plan in plans if pictures else ():
        if plan.kind in _UNSAID:
            plan.remarks = (*plan.remarks, _UNSAID[plan.kind])


def _laid_over(picture: Document, plans: Sequence[Document]) -> Iterable[str]:
    names = [f"`{one.path}`" for one in plans[:3]]
    more = f" and {len(plans) - 3} more" if len(plans) > 3 else ""
    several = len(plans) > 1
    yield (
        f"{', '.join(names)}{more} {'are' if several else 'is'} laid over it: what "
        f"{'they define or delete' if several else 'it defines or deletes'} is as planned, all else as it was then"
    )
    taken = _time(picture.made)
    for plan in plans:
        made = _time(plan.made)
        if taken is None or made is None:
            continue
        if made - taken >= OLD:
            yield f"it is {_days(made - taken)} older than `{plan.path}`: what changed between them is not seen"
        elif taken - made >= _DAY:
            yield f"`{plan.path}` was made {_days(taken - made)} before it: what changed between them, a plan made now would take into account"


def _age(picture: Document) -> timedelta | None:
    taken = _time(picture.made)
    return None if taken is None else _now() - taken


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _now() -> datetime:
    """The time, or what SOURCE_DATE_EPOCH sets it to."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)


def _days(span: timedelta) -> str:
    return f"{span.days} day{'' if span.days == 1 else 's'}"
