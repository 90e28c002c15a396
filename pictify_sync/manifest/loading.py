"""From paths to checked manifests: which files are meant, and what each declares.

Row data may lie beside manifests: when a folder is walked, a YAML file whose top is a list is not taken for one.
This module must not know rows or expressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from glob import has_magic
from pathlib import Path
from stat import S_ISDIR
from typing import Any, Generic, TypeVar

from pictify_sync.errors import InputError, Problem
from pictify_sync.manifest.context import ReadContext
from pictify_sync.manifest.forms import decode, normal_value
from pictify_sync.manifest.places import MAX_YAML, Problems, Unusable, in_other_form, read_bytes, shown, why
from pictify_sync.manifest.schema import AssetsManifest, TemplateManifest
from pictify_sync.manifest.walking import Walker
from pictify_sync.validation import nearest, salvaged, validate
from pictify_sync.yaml_reader import Document, holds_list, place_of_byte, read_document

# What stands in for missing fields, so that the rest of a file can be checked.
STAND_INS = {"version": 1, "template": "?", "rows": [], "key": "?", "width": 1, "height": 1}
Model = TypeVar("Model", AssetsManifest, TemplateManifest)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Model]):
    """One checked file."""

    path: Path  # resolved
    document: Document
    model: Model
    name: str
    missing: frozenset[str] = frozenset()  # fields that others stand in for: the file has been told to be wrong


@dataclass(frozen=True, slots=True)
class Scope:
    """The files that the given paths mean."""

    files: Sequence[tuple[Path, bool]]  # (resolved path, whether it was named itself), sorted, each once
    whole: bool  # the paths cover the configured root


@dataclass(frozen=True, slots=True)
class Declared:
    """Everything in scope, and the templates below the root."""

    assets: Sequence[Loaded[AssetsManifest]]  # sorted by name
    templates: Sequence[Loaded[TemplateManifest]]  # in scope, sorted by name
    others: Sequence[Loaded[TemplateManifest]]  # declared below the root, outside the scope
    lists: Sequence[Path]  # in scope, passed over for their top is a list
    hidden: Sequence[Problem] = ()  # of files outside the scope that may declare a template, and cannot be loaded


def find(paths: Sequence[Path], context: ReadContext, problems: Problems) -> Scope:
    """Find the files that files, folders and globs mean; no paths at all mean the configured root."""
    named: dict[Path, bool] = {}
    whole = False
    root = context.root.resolve()
    walker = Walker(context, problems)
    for given in map(in_other_form, paths or (context.root,)):
        kind = _kind(given, context, problems)
        if kind == "folder" and _is_apart(given.resolve(), context.project):
            walker.is_refused(given)
        elif kind == "folder":
            whole = whole or root.is_relative_to(given.resolve())
            named = {**dict.fromkeys(walker.walk(given), False), **named}
        elif kind == "file":
            named[given] = True
        elif kind == "pattern":
            before = problems.errors
            found = _matching(given, walker)
            named = {**dict.fromkeys(found, False), **named}
            if not found and problems.errors == before:
                problems.add(Problem(str(given), 0, 0, "no YAML file matches"))
    files: dict[Path, bool] = {}
    for path, itself in named.items():
        if not walker.is_refused(path):
            files[path.resolve()] = files.get(path.resolve(), False) or itself
    return Scope(sorted(files.items()), whole)


def _kind(given: Path, context: ReadContext, problems: Problems) -> str:
    """Return what a given path names: folder, file or pattern; "" for what has been told to be wrong."""
    try:
        return "folder" if S_ISDIR(given.stat().st_mode) else "file"
    except (FileNotFoundError, NotADirectoryError, ValueError):
        if has_magic(str(given)):
            return "pattern"
        message = "the link is broken" if given.is_symlink() else "no such file or folder"
    except OSError as error:
        message = f"cannot be read: {why(error)}"
    problems.add(Problem(shown(given, context.cwd), 0, 0, message))
    return ""


def _matching(pattern: Path, walker: Walker) -> Sequence[Path]:
    """Return the files that a pattern means; a folder that it matches stands for what is below it."""
    found = list(walker.matches(pattern))
    return [one for path in found for one in (walker.walk(path) if path.is_dir() else (path,))]


def declared(scope: Scope, context: ReadContext, problems: Problems) -> Declared:
    """Load every file in scope and the templates below the root. Problems of all files are gathered."""
    files = dict(scope.files)
    lists: list[Path] = []
    loaded = [one for path, itself in scope.files if (one := _load(path, context, problems, None if itself else lists))]
    assets = [one for one in loaded if isinstance(one.model, AssetsManifest)]
    templates = [one for one in loaded if isinstance(one.model, TemplateManifest)]
    outside = [] if scope.whole else [path for path in _below_root(context, problems) if path not in files]
    hidden = Problems()
    others = [one for path in outside if (one := _load_template(path, context, hidden))]
    _check_names(assets, "manifests", problems)
    by_name = sorted(assets, key=lambda one: one.name)
    _check_names([*templates, *others], "templates", problems)
    return Declared(by_name, sorted(templates, key=lambda one: one.name), others, lists, hidden.listed())


def _below_root(context: ReadContext, problems: Problems) -> Sequence[Path]:
    """Return the YAML files below the configured root, resolved; none where it does not exist."""
    walker = Walker(context, problems)
    try:
        context.root.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return ()
    except OSError:
        pass  # told by the walk
    if _is_apart(context.root.resolve(), context.project):
        return ()
    return sorted({path.resolve() for path in walker.walk(context.root) if not walker.is_refused(path)})


def _is_apart(folder: Path, project: Path) -> bool:
    """Return whether nothing in a folder can belong to the project, so that it need not be walked."""
    return not folder.is_relative_to(project) and not project.is_relative_to(folder)


def _load(path: Path, context: ReadContext, problems: Problems, lists: list[Path] | None) -> Loaded[Any] | None:
    """Load a file. One that holds a list is put into `lists`; without it, because the file was named, it is wrong."""
    file = shown(path, context.cwd)
    try:
        text = _text(path, file)
        if lists is not None and holds_list(text):
            lists.append(path)
            return None
        twice: list[Problem] = []
        document = read_document(text, file, twice)
        for problem in twice:
            problems.add(problem)
        return _check(path, document, context, problems)
    except InputError as error:
        problems.extend(error)
        return None


def _load_template(path: Path, context: ReadContext, hidden: Problems) -> Loaded[TemplateManifest] | None:
    """Load a template outside the scope. What is wrong there is put into `hidden`: it matters if one is missed."""
    file = shown(path, context.cwd)
    try:
        text = _text(path, file)
        if "kind" not in text or "template" not in text or holds_list(text):
            return None
        loaded = _check(path, read_document(text, file), context, hidden)
    except InputError as error:
        hidden.extend(error)
        return None
    return loaded if loaded is not None and isinstance(loaded.model, TemplateManifest) else None


def _text(path: Path, file: str) -> str:
    try:
        return decode(read_bytes(path, MAX_YAML))
    except UnicodeDecodeError as error:
        place = place_of_byte(error.object, error.start)
        raise InputError([Problem(file, *place, f"not UTF-8: {error.reason}", "save the file as UTF-8")]) from None
    except FileNotFoundError:
        raise InputError([Problem(file, 0, 0, "no such file")]) from None
    except Unusable as error:
        raise InputError([Problem(file, 0, 0, f"the file {error}")]) from None


def _check(path: Path, document: Document, context: ReadContext, problems: Problems) -> Loaded[Any] | None:
    top = normal_value(document.value)
    document = replace(document, value=top)
    if not isinstance(top, dict):
        problems.add(Problem(document.file, 1, 1, "a manifest must be a mapping", "start with 'version: 1'"))
        return None
    kind = top.get("kind", "assets")
    if kind not in ("assets", "template"):
        line, column = document.places([("kind",)])[("kind",)][2:]
        near = nearest(str(kind), ("assets", "template"))
        hint = near or "use assets or template"
        problems.add(Problem(document.file, line, column, f"there is no kind {str(kind)[:80]!r}", hint))
        kind = "template" if "html" in top or "template" in near else "assets"
        document = replace(document, value={**top, "kind": kind})
    model: type[Any] = TemplateManifest if kind == "template" else AssetsManifest
    asked = context.asked(top)
    found: Any = validate(model, document, asked)
    missing: frozenset[str] = frozenset()
    if isinstance(found, list):
        for problem in found:
            problems.add(problem)
        rest = salvaged(model, document, STAND_INS, asked)
        if rest is None:
            return None
        found, missing = rest
    name = found.name or path.stem
    if len(name) > 128 or not _named(name):
        hint = "set 'name': letters, digits, and . _ ~ - after the first"
        problems.add(Problem(document.file, 1, 1, f"the file's name {name[:80]!r} cannot name a manifest", hint))
        return None
    return Loaded(path, document, found, name, missing)


def _named(name: str) -> bool:
    plain = name.replace(".", "").replace("_", "").replace("~", "").replace("-", "")
    return name.isascii() and name[0].isalnum() and (plain.isalnum() or not plain)


def _check_names(group: Sequence[Loaded[Model]], kind: str, problems: Problems) -> None:
    """Report names that are taken."""
    seen: dict[str, Loaded[Model]] = {}
    for one in group:
        first = seen.setdefault(one.name.casefold(), one)
        if first is not one:
            line, column = one.document.places([("name",)])[("name",)][2:]
            message = f"two {kind} are named '{one.name}': {first.document.file} and {one.document.file}"
            problems.add(Problem(one.document.file, line, column, message, "set another 'name' in one of them"))
