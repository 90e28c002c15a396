"""What the manifests ask for: read once, checked as a whole, and kept so that it can be streamed sorted by key.

This module puts the others together; it must not know the state, providers or commands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import eq
from pathlib import Path

from pictify_sync.core.model import Asset, AssetKey, Origin
from pictify_sync.core.template import TemplateRecord, TemplateSource
from pictify_sync.errors import InputError, Problem, Severity
from pictify_sync.manifest.context import Findings, ReadContext
from pictify_sync.manifest.expand import Expansion
from pictify_sync.manifest.loading import Declared, Loaded, declared, find
from pictify_sync.manifest.payloads import Restorer
from pictify_sync.manifest.places import Problems, shown
from pictify_sync.manifest.prepare import Prepared, prepare
from pictify_sync.manifest.rows.sources import RowsFile
from pictify_sync.manifest.rows.spool import Layer, Spool
from pictify_sync.manifest.schema import AssetsManifest
from pictify_sync.manifest.templates import Template, declare, observed
from pictify_sync.validation import nearest

MAX_NAMED = 12  # templates that a hint lists
MAX_TRIED = 1_000  # rows of a list that no manifest names


@dataclass(frozen=True, slots=True)
class Manifests:
    """The desired assets. Keeps the contracts of the ports Desired and Payloads."""

    manifests: Sequence[str]
    whole: bool
    templates: Sequence[TemplateSource]
    problems: Sequence[Problem]  # warnings, sorted by place
    _spool: Spool
    _restorer: Restorer

    def __iter__(self) -> Iterator[Asset]:
        return self._spool.assets()

    def __len__(self) -> int:
        return len(self._spool)

    def get(self, key: AssetKey) -> Asset | None:
        """Return the asset of a key, None when it is not desired."""
        return self._spool.get(key)

    def is_same_as(self, other: Manifests) -> bool:
        """Whether both ask for the same pictures."""
        return len(self) == len(other) and all(map(eq, self, other))

    def payload(self, key: AssetKey, variables: str) -> Mapping[str, object]:
        """Return what a provider is sent for kept variables. Raises InputError when they can no longer be restored."""
        return self._restorer.payload(key, variables)

    def close(self) -> None:
        """Drop the temporary database; it is dropped with the process anyway."""
        self._spool.close()


def read_manifests(paths: Sequence[Path], context: ReadContext) -> Manifests:
    """Read the manifests that files, folders and globs mean; no paths mean the configured root.

    Raises InputError with every error and warning of every file.
    """
    context = replace(context, project=context.project.resolve())
    problems = Problems()
    scope = find(paths, context, problems)
    found = declared(scope, context, problems)
    chosen = _Templates(found, context, problems)
    prepared = [one for loaded in found.assets if (one := chosen.prepare(loaded)) is not None]
    chosen.check_unused()
    rows = {one.rows.path for one in prepared if one.rows is not None}
    for path in found.lists:
        if path not in rows:
            _try_list(RowsFile(path, shown(path, context.cwd)), problems)
    spool = Spool()
    _expand(prepared, context, problems, spool)
    _check_clashes(spool, problems)
    if problems.errors:
        spool.close()
        raise InputError(problems.listed())
    return Manifests(
        manifests=tuple(loaded.name for loaded in found.assets),
        whole=scope.whole,
        templates=chosen.sources(),
        problems=problems.listed(),
        _spool=spool,
        _restorer=Restorer({one.name: one for one in prepared}, context),
    )


class _Templates:
    """Finds the template of each manifest; a declared one is read when the first manifest asks for it."""

    def __init__(self, found: Declared, context: ReadContext, problems: Problems) -> None:
        self._context = context
        self._problems = problems
        self._scope = found.templates
        self._hidden = found.hidden
        self._declared = {loaded.name: loaded for loaded in (*found.others, *found.templates)}
        self._read: dict[str, Template | None] = {}
        self._used: dict[tuple[str, str], TemplateSource] = {}

    def prepare(self, loaded: Loaded[AssetsManifest]) -> Prepared | None:
        name, provider = loaded.model.template, loaded.model.provider or self._context.provider
        if name in self._declared:
            template = self._declare(name)
            if template is None:
                return None
        else:
            record = self._context.templates.get((provider, name))
            template = observed(name, record, self._context.inspector)
            if "template" not in loaded.missing:
                self._doubt(loaded, record)
        made = prepare(loaded, template, self._context, self._problems)
        if template.source is not None:
            self._used[name, provider] = replace(template.source, provider=provider)
        return made

    def _doubt(self, loaded: Loaded[AssetsManifest], record: TemplateRecord | None) -> None:
        """Report a name that may be a slip of the pen, and of a uid that the provider did not know.

        A provider whose templates are private is sent what is declared; what else it holds is known to the state.
        """
        name, findings = loaded.model.template, Findings(loaded.document, self._problems)
        facts = self._context.facts(loaded.model.provider or self._context.provider)
        is_unknown = record is None or record.declared
        for problem in self._hidden if is_unknown else ():  # it may be declared in one of those files
            self._problems.add(problem)
        if facts.templates_are_private and is_unknown:
            there = ", ".join(sorted(self._declared)[:MAX_NAMED])
            hint = nearest(name, self._declared) or (f"there are: {there}" if there else "declare it: 'kind: template'")
            findings.error(("template",), f"no template '{name}' is declared", hint)
        elif record is None and not facts.templates_are_private and (hint := nearest(name, self._declared)):
            findings.warning(("template",), f"no template '{name}' is declared, so it is used as a uid", hint)
        elif record is not None and record.drift:
            findings.warning(("template",), f"the provider did not know the template '{name}' at the last refresh")
        findings.flush()

    def check_unused(self) -> None:
        """Read the templates in scope that no manifest asked for, for their problems."""
        for loaded in self._scope:
            self._declare(loaded.name)

    def sources(self) -> tuple[TemplateSource, ...]:
        return tuple(source for _, source in sorted(self._used.items()))

    def _declare(self, name: str) -> Template | None:
        if name not in self._read:
            self._read[name] = declare(self._declared[name], self._context, self._problems)
        return self._read[name]


def _try_list(rows: RowsFile, problems: Problems) -> None:
    """Look into a list that no manifest names, for YAML that would be refused if one did."""
    try:
        for _ in islice(rows.read(lambda _: None), MAX_TRIED):
            pass
    except InputError as error:
        problems.extend(error)


def _expand(prepared: Sequence[Prepared], context: ReadContext, problems: Problems, spool: Spool) -> None:
    seen: dict[int, set[str]] = {}  # manifest -> characters to be drawn by fonts of ours
    for number, one in enumerate(prepared):
        layers = spool.layers(
            [
                Layer(f"@{spec.variant}", spec, digest, one.loaded.model.protect)
                for spec, digest in zip(one.specs, one.digests, strict=True)
            ]
        )
        look = context.glyphs and one.template.source is not None and context.facts(one.specs[0].provider).embedded
        characters: set[str] = set()
        for item in Expansion(one, context, problems):
            if len(spool) + len(layers) > context.max_assets:
                hint = "raise max_assets in the settings"
                problems.add(Problem(item.file, *item.spot, f"more than {context.max_assets:,} assets", hint))
                break
            spool.put((one.name, number), item, layers)
            if look and not item.variables.isascii():
                characters.update(item.variables)
        if characters:
            seen[number] = characters
    spool.seal()
    for number, characters in seen.items():
        missing = context.inspector.missing_glyphs("".join(sorted(characters)), prepared[number].families)
        _tell_glyphs(spool.holding(number, missing) if missing else (), problems)


def _tell_glyphs(found: Iterable[tuple[str, Origin]], problems: Problems) -> None:
    for missing, origin in found:
        shown = ", ".join(f"{character} (U+{ord(character):04X})" for character in missing[:8])
        shown += f" and {len(missing) - 8:,} more characters" if len(missing) > 8 else ""
        hint = "add a font that has them, as a package"
        warning = Problem(origin.file, origin.line, origin.column, f"no font can draw {shown}", hint, Severity.WARNING)
        problems.add(warning, "rows with characters that no font can draw")


def _check_clashes(spool: Spool, problems: Problems) -> None:
    duplicated: set[str] = set()
    for clash in spool.duplicates():
        first, second = clash.first, clash.second
        duplicated.add(clash.keys[1].rpartition("@")[0])
        message = f"the key '{clash.keys[1].rpartition('@')[0]}' is already used by {_place(first)}"
        found = Problem(second.file, second.line, second.column, message, "make 'key' unique")
        problems.add(found, "keys that are used twice")
    for clash in spool.collisions():
        if clash.keys[0].rpartition("@")[0] == clash.keys[1].rpartition("@")[0] and clash.keys[0] != clash.keys[1]:
            hint = "use {{ layout }} in 'output'"
        elif clash.keys[1].rpartition("@")[0] in duplicated:
            continue
        else:
            hint = "make 'output' unique, also without regard to letter case"
        message = f"the output path '{clash.output}' is that of {clash.keys[0]} too"
        first, second = clash.first, clash.second
        message += f", from {_place(first)}" if first != second else ""
        problems.add(Problem(second.file, second.line, second.column, message, hint), "output paths that collide")
    for asset in spool.covered():
        message = f"the output path '{asset.output}' is also the folder of another output"
        origin = asset.origin
        problems.add(Problem(origin.file, origin.line, origin.column, message), "output paths that are folders")


def _place(origin: Origin) -> str:
    return f"{origin.file}:{origin.line}:{origin.column}"
