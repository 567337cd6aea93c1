"""Resources in ARM's shape, and the documents they come in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from aks_egress.arm.ids import ResourceId
from aks_egress.records import field, record
from aks_egress.values import Origin, Step, Unknown, Value, at


class Kind(StrEnum):
    """The dialect of a document, as the report names it."""

    TERRAFORM_PLAN = "terraform-plan"
    TERRAFORM_SOURCE = "terraform-source"
    ARM_TEMPLATE = "arm-template"
    BICEP = "bicep"
    PULUMI_STACK = "pulumi-stack"
    PULUMI_PREVIEW = "pulumi-preview"
    SNAPSHOT = "snapshot"
    LIVE = "live"


class Role(StrEnum):
    """Whether a document is judged, or only completes the picture."""

    SUBJECT = "subject"
    CONTEXT = "context"


@record(frozen=True, slots=True)
class Notice:
    """Something about an input that people must hear of; it never stops the reading.

    `malformed` notices make the run exit 2: the input is broken, not merely incomplete.
    """

    code: str
    message: str
    origin: Origin
    malformed: bool = False


@record(frozen=True, slots=True)
class Kept:
    """A part of a resource that its definition leaves to others, such as a subnet's group in Terraform.

    It is what another definition says, else what runs; of a list, `dropped` rows are taken away.
    """

    path: tuple[Step, ...]
    dropped: tuple[Value, ...] = ()


@record(frozen=True, slots=True)
class Loose:
    """Something that belongs to a resource of a type, and nobody can say to which one.

    `kind` (lower case) is a child type, any parent may have such a child; or with a `path` the type of
    the resources in which that part may be another one.
    """

    kind: str
    why: Unknown
    path: tuple[Step, ...] = ()


@record(slots=True, eq=False)
class Resource:
    """One resource in ARM's shape.

    `body` holds ARM's top-level members (`location`, `sku`, `properties`, …); a reader may give it
    as a function, which runs when somebody first asks.  `places` says where parts of the body
    stand, for parts whose place does not follow from `origin`: the longest matching path wins and
    the rest of the path is appended to its pointer.  `address` is the name in the dialect
    (`azurerm_route_table.spoke`, a Pulumi URN), else empty.  `existing` resources are referred
    to, not deployed: their body may say nothing.  `uncertain` is why nobody can say whether the
    resource will be there at all (a condition that is not known), else None.

    `kept` are the parts that others decide, known once the body has been read.  A resource that
    `stands_in` is one of which its document says no more than such a part.  With `anew` it will be
    created, so that nothing of what runs belongs to it.
    """

    id: ResourceId
    origin: Origin
    body: Mapping[str, Value] | Callable[[], Mapping[str, Value]]
    places: Mapping[tuple[Step, ...], Origin] = field(default_factory=dict)
    address: str = ""
    api_version: str = ""
    existing: bool = False
    uncertain: Unknown | None = None
    kept: Sequence[Kept] = ()
    stands_in: bool = False
    anew: bool = False
    #: fills in what other resources of the run say, once, when somebody first asks; set by the graph
    settle: Callable[[Resource, Mapping[str, Value]], Mapping[str, Value]] | None = field(
        default=None, repr=False
    )

    @property
    def kind(self) -> str:
        """The full resource type, lower case."""
        return self.id.kind

    @property
    def name(self) -> str:
        """The resource's own name."""
        return self.id.name

    @property
    def label(self) -> str:
        """How people know it: the dialect's address where there is one, else its name."""
        return self.address or "/".join(self.id.names)

    def get(self, *path: Step) -> Value:
        """The part of the body at `path`, None where it is missing."""
        return at(self._whole(), *path)  # type: ignore[arg-type]

    def _whole(self) -> Mapping[str, Value]:
        if callable(self.body):
            self.body = self.body()
        if self.settle is not None:
            settle, self.settle = self.settle, None
            self.body = settle(self, self.body)
        return self.body

    def prop(self, *path: Step) -> Value:
        """The part of `properties` at `path`."""
        return self.get("properties", *path)

    def place(self, *path: Step) -> Origin:
        """Where the part of the body at `path` stands."""
        if callable(self.body):
            self.body = self.body()
        for length in range(len(path), 0, -1) if self.places else ():
            found = self.places.get(path[:length])
            if found is not None:
                return found.child(*path[length:])
        return self.origin.child(*path)


@record(slots=True, eq=False)
class Document:
    """One thing that is deployed as a whole: a template with its parameters, a plan, a stack.

    `locate` turns an origin of this document into a line (from 1), None where it cannot; `written` into
    the file and line that people edit, where the document was made from it and it lies beside (the
    source of a plan).
    `unread` names resource types of which this document may hold more than `resources` shows
    (a nested deployment that could not be followed, a listing that was refused): looking for one
    of them and finding nothing proves nothing.  `unread` = {"*": …} speaks of every type, an id (its
    `key`) of that one resource.
    What is `loose` may belong to resources of any document.
    `deployed` marks a picture of what runs already (a snapshot, a state): definitions that are yet
    to be deployed are laid over it, and what they delete (`deleted`, and everything in `deleted_groups`,
    ids of resource groups) is gone from it.  `remarks` are sentences for the report: when the picture
    was taken, what it contradicts.  `made` is
    when the input says that it was made (ISO 8601), empty where it does not.
    """

    path: str
    kind: Kind
    resources: tuple[Resource, ...]
    notices: tuple[Notice, ...] = ()
    role: Role = Role.SUBJECT
    unread: Mapping[str, Unknown] = field(default_factory=dict)
    loose: tuple[Loose, ...] = ()
    deleted: frozenset[ResourceId] = frozenset()
    deleted_groups: frozenset[str] = frozenset()
    cloud: str = ""
    deployed: bool = False
    remarks: tuple[str, ...] = ()
    made: str = ""
    locate: Callable[[Origin], int | None] = lambda origin: origin.line
    written: Callable[[Origin], Origin | None] = lambda _origin: None

    @property
    def runs(self) -> bool:
        """Whether it shows what there is already: a picture of what runs, or the state of a tool."""
        return self.deployed or self.kind is Kind.SNAPSHOT
