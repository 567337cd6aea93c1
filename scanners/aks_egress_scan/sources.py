"""From the paths of a command line to documents: what is found, who reads it, and what could not be read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from aks_egress.arm.resources import Document, Kind, Notice, Role
from aks_egress.records import field, record, replace
from aks_egress.values import Origin, Unknown
from aks_egress_scan.detect import (
    DIALECTS,
    HEAD,
    WANTED,
    Dialect,
    claimant,
    head_of,
    is_parameter_file,
    reader_of,
)
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.files import DEFAULT_MAX_SIZE, Files, root_of, tidy, walk
from aks_egress_scan.readers.base import MalformedError, Parameters, Reader, Source

#: dialect -> the family within which files contain one another, so that what another one refers to is
#: no document of its own
_FAMILY = {Kind.ARM_TEMPLATE: "template", Kind.BICEP: "template", Kind.TERRAFORM_SOURCE: "module"}

#: files that belong to the module in their folder, whether anything reads them or not
_OF_MODULES = (".tf", ".tf.json", ".tfvars", ".tfvars.json")


@record(slots=True)
class Loaded:
    """What a command line came to: documents in their final order, failures, and sentences for people.

    `texts` are the files among them that speak of us, by path: accepted findings stand there.
    Every failure also stands in `documents` as one that holds nothing and says why, so that nothing
    looked for is ever taken to be absent.  `touched` names the documents that changed files are part of,
    where a change was asked about.
    """

    documents: list[Document] = field(default_factory=list)
    failures: list[MalformedError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    texts: Mapping[str, bytes] = field(default_factory=dict)
    touched: Sequence[str] = ()


@record(slots=True)
class _Claimed:
    """What will be one document: the file that its reader starts from, and all its own files."""

    source: Source
    dialect: Dialect
    reader: Reader
    role: Role
    own: set[str]


@record(slots=True)
class _Search:
    """The state of one search through the named paths."""

    files: Files
    claimed: dict[str, _Claimed] = field(default_factory=dict)
    parameters: dict[str, Source] = field(default_factory=dict)
    loaded: Loaded = field(default_factory=Loaded)
    wrong: list[str] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)
    looked_at: int = 0

    def look(self, path: str, role: Role) -> None:
        """Take in one path that somebody named."""
        if path == "":
            self.wrong.append("an empty path was given")
        elif path != "-" and os.path.isdir(path):
            self._folder(tidy(path), role)
        else:
            try:
                self._file(tidy(path), role)
            except MalformedError as failure:
                self._failed(failure, None, role)
            except UsageFailure as failure:
                self.wrong.append(str(failure))

    def _file(self, path: str, role: Role) -> None:
        source = self.files.named(path, "" if path == "-" else root_of(path))
        head = head_of(source.data)
        if not source.data.strip():
            self.wrong.append(f"`{path}` is empty" if path != "-" else "standard input is empty")
        elif is_parameter_file(path, head):
            self.parameters[path] = source
        elif not self._claim(source, role):
            self.wrong.append(_nobody(path, head))

    def _folder(self, folder: str, role: Role) -> None:
        root = root_of(folder)
        try:
            paths = list(walk(folder, WANTED))
        except MalformedError as failure:
            self._failed(failure, None, role)
            return
        self.looked_at += len(paths)
        for path in paths:
            head = head_of(self.files.head(path, HEAD))
            if is_parameter_file(path, head):
                continue
            try:
                self._claim(self.files.found(path, root), role, named=False)
            except MalformedError as failure:
                self._failed(failure, None, role)

    def _claim(self, source: Source, role: Role, *, named: bool = True) -> bool:
        found = claimant(source)
        if found is None:
            return False
        dialect, reader = found
        if reader is None:
            self._without_reader(source.path, dialect, named)
            return True
        key = _unit(source.path, dialect)
        known = self.claimed.setdefault(key, _Claimed(source, dialect, reader, role, set()))
        known.own.add(source.path)
        if source.path < known.source.path:
            known.source = source  # whichever file of a folder is named first, the same one stands for it
        if role is Role.SUBJECT:
            known.role = role
        return True

    def _without_reader(self, path: str, dialect: Dialect, named: bool) -> None:
        if named:
            self.wrong.append(_no_reader(path, dialect))
        else:
            self.unread[dialect.title] += 1

    def _failed(self, failure: MalformedError, kind: Kind | None, role: Role) -> None:
        self.loaded.failures.append(failure)
        self.loaded.documents.append(_unreadable(failure, kind or Kind.ARM_TEMPLATE, role))

    def read(self, given: Parameters, changed: Sequence[str] | None) -> None:
        """Read everything that was claimed, without what is part of something else.

        Of that, `changed` files have only the documents judged that they are part of.
        """
        extra = tuple(self.parameters[path] for path in sorted(self.parameters))
        parameters = replace(given, files=(*given.files, *extra))
        documents: dict[str, list[Document]] = {}
        failed: dict[str, MalformedError] = {}
        for path in sorted(self.claimed):
            one = self.claimed[path]
            try:
                documents[path] = one.reader.read(one.source, parameters)
            except MalformedError as failure:
                documents[path], failed[path] = [], failure
            for document in documents[path]:
                document.role = one.role
        touched = None if changed is None else self._touched(changed, given)
        self._once(documents, touched or set())
        if touched is not None:
            self.loaded.touched = sorted(touched & documents.keys())
            self._judge_only(touched, documents)
        for path, found in documents.items():
            self.loaded.documents += found
            if path in failed:
                self._failed(failed[path], self.claimed[path].dialect.kind, self.claimed[path].role)

    def _once(self, documents: dict[str, list[Document]], touched: set[str]) -> None:
        """Leave out what is judged as part of another document, or as the plan that was made of it."""
        for path in list(documents):
            holders = self._holders(path)
            if holders:
                said = _listed([_shown(one) for one in holders])
                self.loaded.notes.append(f"`{_shown(path)}` is part of {said} and judged there")
                del documents[path]
        for plan, module in list(self._pairs(documents)):
            if module in touched and plan not in touched:
                said = (
                    f"`{plan}` was planned before this change of `{_shown(module)}`, which is judged itself"
                )
                documents.pop(plan, None)
            else:
                said = f"`{_shown(module)}` is judged by its plan `{plan}`"
                documents.pop(module, None)
            self.loaded.notes.append(said)

    def _pairs(self, documents: Mapping[str, Sequence[Document]]) -> Iterator[tuple[str, str]]:
        """Every plan with the root module that it is of, where both are judged or neither is."""
        plans = [path for path in documents if self.claimed[path].dialect.kind is Kind.TERRAFORM_PLAN]
        if not plans:
            return
        from aks_egress_scan.plan_and_source import is_plan_of, modules_beside

        for plan in plans:
            one = self.claimed[plan]
            for module in modules_beside(plan):
                other = self.claimed.get(module)
                if other is not None and module in documents and other.role is one.role:
                    files = (self.files.found(path, root_of(path)).data for path in sorted(other.own))
                    if is_plan_of(documents[plan], files):
                        yield plan, module
                        break

    def _touched(self, changed: Iterable[str], given: Parameters) -> set[str]:
        """The documents that changed files are part of, now or before they were deleted."""
        paths = {tidy(os.path.relpath(path) if os.path.isabs(path) else path) for path in changed}
        if any(source.path in paths for source in given.files):
            return set(self.claimed)
        home = self._home()
        modules = {f"{os.path.dirname(path) or '.'}/" for path in paths if path.endswith(_OF_MODULES)}
        own = {home[path] for path in paths if path in home}
        return own | (modules & self.claimed.keys()) | self._reached(paths)

    def _judge_only(self, touched: set[str], documents: Mapping[str, Sequence[Document]]) -> None:
        """Make everything else context; a change without a cluster of its own concerns all clusters."""
        alone = any(not _has_cluster(documents[path]) for path in touched & documents.keys())
        for path in documents.keys() - touched:
            if not alone or not touched:
                self.claimed[path].role = Role.CONTEXT
                for document in documents[path]:
                    document.role = Role.CONTEXT

    def _holders(self, key: str) -> list[str]:
        """The documents that this one is part of, without those that are part of it."""
        one = self.claimed[key]
        family = _FAMILY.get(one.dialect.kind)
        return sorted(
            holder
            for holder in self._above(key)
            if family is not None
            and _FAMILY.get((found := self.claimed[holder]).dialect.kind) == family
            and (found.role is Role.SUBJECT or one.role is Role.CONTEXT)
            and key not in self._above(holder)
        )

    def _above(self, key: str) -> set[str]:
        """Every document from whose files those of this one are reached."""
        return self._reached(self.claimed[key].own) - {key}

    def _reached(self, paths: Iterable[str]) -> set[str]:
        """Every document from whose files these are reached."""
        todo = [path for path in paths if path in self.files.followed]
        if not todo:
            return set()
        home = self._home()
        seen: set[str] = set()
        found: set[str] = set()
        while todo:
            for path in self.files.followed.get(todo.pop(), ()):
                if path not in seen:
                    seen.add(path)
                    todo.append(path)
                    found.add(home.get(path, ""))
        return found - {""}

    def _home(self) -> dict[str, str]:
        """The document that each file is an own part of."""
        return {path: unit for unit, one in self.claimed.items() for path in one.own}


def _unit(path: str, dialect: Dialect) -> str:
    """What names a document: its file, or the folder of a Terraform module."""
    return f"{os.path.dirname(path) or '.'}/" if dialect.kind is Kind.TERRAFORM_SOURCE else path


def load(
    paths: Iterable[str],
    context: Iterable[str] = (),
    parameters: Sequence[str] = (),
    max_size: int = DEFAULT_MAX_SIZE,
    changed: Sequence[str] | None = None,
    bicep_cli: str = "",
) -> Loaded:
    """The documents in the named files and folders.

    With `bicep_cli` (a path, or `auto`) that program compiles Bicep.  With `changed`, only the documents that those files are part of are judged; the others become context.
    Raises UsageFailure for a path that is missing or of no known format.  Broken inputs do not
    stop the others: they are `failures`.
    """
    search = _Search(Files(max_size))
    given = replace(_parameters(parameters, search), bicep_cli=bicep_cli)
    for path in dict.fromkeys(paths):
        search.look(path, Role.SUBJECT)
    for path in dict.fromkeys(context):
        search.look(path, Role.CONTEXT)
    if search.parameters and not search.claimed and not search.loaded.failures:
        search.wrong += [
            f"`{path}` holds parameters: name the definition they are for as well"
            for path in search.parameters
        ]
    if search.wrong:
        raise UsageFailure("\n".join(search.wrong))
    search.read(given, changed)
    loaded = search.loaded
    loaded.texts = search.files.texts
    loaded.documents.sort(key=lambda one: (one.role is Role.CONTEXT, one.path))
    loaded.failures.sort(key=lambda one: (one.path, one.line or 0))
    loaded.notes += [
        f"{_files(count)} of {title} not read: this version has no reader for it"
        for title, count in sorted(search.unread.items())
    ]
    if not loaded.documents and not search.unread:
        loaded.notes.append(_nothing_found(search.looked_at))
    return loaded


def _parameters(given: Sequence[str], search: _Search) -> Parameters:
    """`--param`: an existing file, or NAME=VALUE; later values win."""
    files: list[Source] = []
    values: list[tuple[str, str]] = []
    for text in given:
        name, equals, value = text.partition("=")
        if os.path.exists(text):
            try:
                files.append(search.files.named(tidy(text), root_of(text)))
            except MalformedError as failure:
                search.wrong.append(f"{failure.path}: {failure.message}")
        elif equals and name.strip():
            values.append((name.strip(), value))
        else:
            search.wrong.append(f"`--param {text}` is neither a file that exists nor NAME=VALUE")
    return Parameters(tuple(files), tuple(values))


def _unreadable(failure: MalformedError, kind: Kind, role: Role) -> Document:
    """A document that says only that it could not be read."""
    origin = Origin(failure.path, failure.line)
    notice = Notice("unreadable-input", failure.message, origin, malformed=True)
    gap = Unknown(f"`{failure.path}` could not be read", origin, settle="mend that file")
    return Document(failure.path, kind, (), (notice,), role, unread={"*": gap})


def _nobody(path: str, head: bytes) -> str:
    """Why nobody reads a file that somebody named."""
    if head.startswith(b"PK\x03\x04"):
        return f"`{path}` is a binary plan or an archive: turn a plan into JSON with `terraform show -json {path} > plan.json`"
    if path.casefold().endswith(("pulumi.yaml", "pulumi.yml")):
        return f"`{path}` is a Pulumi project of another language than YAML: name what `pulumi preview --json --show-sames` prints, or `pulumi stack export`"
    known = ", ".join(one.title for one in DIALECTS if reader_of(one) is not None)
    what = "is JSON, but" if head.startswith((b"{", b"[")) else "is no definition:"
    return f"`{path}` {what} nothing in it says that it is one of {known}"


def _no_reader(path: str, dialect: Dialect) -> str:
    instead = {
        Kind.BICEP: "compile it with `az bicep build` and name the JSON",
        Kind.TERRAFORM_SOURCE: "plan it and name the JSON of `terraform show -json`",
    }.get(dialect.kind, "name another form of it")
    return f"`{path}` is {dialect.title}, which this version does not read: {instead}"


def _nothing_found(looked_at: int) -> str:
    wanted = ", ".join(f"`*{suffix}`" for suffix in WANTED)
    if not looked_at:
        return f"nothing to judge: the folder holds no file named {wanted}"
    return f"nothing to judge: {_files(looked_at)} looked at, and none is a definition of Azure resources"


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _shown(key: str) -> str:
    """A document's name for people: its file, or the folder of its module."""
    return key.rstrip("/") or "."


def _has_cluster(documents: Iterable[Document]) -> bool:
    kind = "microsoft.containerservice/managedclusters"
    return any(one.kind == kind for document in documents for one in document.resources)


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(f"`{path}`" for path in paths)
