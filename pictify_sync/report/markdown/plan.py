"""A review as Markdown, for a comment or a job summary on GitHub.

When there is too much for the room, details are left out first, then rows; what is left out is counted. Nothing is cut
in the middle: every row, tag and fence that begins also ends. This module must not know files, nor GitHub's API.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pictify_sync.core.model import AssetKey
from pictify_sync.core.preview import Preview
from pictify_sync.core.sample import shares
from pictify_sync.report.markdown.escape import cell, code, fenced, marked, sentence
from pictify_sync.report.pages.previews import lacking, remarks
from pictify_sync.report.templates import TemplateView
from pictify_sync.report.view import ChangeView, Kind, ManifestView, Review, Value
from pictify_sync.report.words import count, share

COMMENT = 65_000  # bytes; GitHub takes 65,536 characters, and a comment needs room for a marker
JOB_SUMMARY = 1_000_000  # bytes; GitHub takes 1 MiB per step, and the step may have more to say
LEAST = 4_000  # bytes; less is no room for a page
VALUES = 6  # values shown of one change
PLAIN = {"stored", "moved", "removed"}  # of an apply: counted, not listed one by one
_PART = "Not everything is listed here: the page that `--html` writes has more.\n\n"
_END = "\n</details>\n\n"
_REST = 300  # bytes kept free for the words that count what a section leaves out


def markdown(review: Review, previews: Mapping[AssetKey, Preview], limit: int) -> str:
    """Return at most `limit` bytes of UTF-8. Raises ValueError when `limit` is less than LEAST."""
    if limit < LEAST:
        raise ValueError(f"{limit} bytes are no room for a page")
    head, foot = _head(review, previews), f"Digest: {code(review.digest)}\n" if review.digest else ""
    room = limit - _size(head) - _size(foot) - _size(_PART)
    overview = _overview(review, room // 3)
    room -= _size(overview)
    templates = [_template(one) for one in review.templates]
    sections = _sections(review, previews)
    whole = sum(section.size for section in sections) + sum(_size(full) for full, _ in templates) <= room
    pushed = "".join(_fitting(templates, room if whole else room // 3))
    room -= _size(pushed)
    opened = list(_opened(sections, room))
    given = shares({section.manifest.name: section.size for section in opened}, room)
    listed = "".join(section.text(given[section.manifest.name]) for section in opened)
    part = "" if whole and len(review.changes) == review.total else _PART
    return head + overview + pushed + listed + part + foot


def _size(text: str) -> int:
    return len(text.encode())


def _head(review: Review, previews: Mapping[AssetKey, Preview]) -> str:
    """Return the summary line, then what else is to be said of the whole."""
    lines = [f"**{review.headline}**", *map(sentence, review.remarks), *remarks(review, previews)]
    return "  \n".join(lines) + "\n\n"


def _overview(review: Review, room: int) -> str:
    """Return one row per manifest; those that find no room are counted in the last row."""
    if not review.manifests:
        return ""
    columns = [one.label for one in review.counts]
    head = f"| manifest | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}\n"
    room -= _size(head) + 20 * (len(columns) + 1)
    rows: list[str] = []
    for manifest in review.manifests:
        row = _counted(cell(manifest.name, 80), _numbers(manifest), columns)
        room -= _size(row)
        if room < 0:
            break
        rows.append(row)
    rest: Counter[str] = Counter()
    for manifest in review.manifests[len(rows) :]:
        rest.update(_numbers(manifest))
    if rest:
        rows.append(_counted(f"{len(review.manifests) - len(rows):,} more", rest, columns))
    return f"{head}{''.join(rows)}\n"


def _numbers(manifest: ManifestView) -> dict[str, int]:
    return {one.label: one.number for one in manifest.counts}


def _counted(name: str, numbers: Mapping[str, int], columns: Iterable[str]) -> str:
    return f"| {name} | {' | '.join(f'{numbers.get(label, 0):,}' for label in columns)} |\n"


def _tally(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {label}" for label, number in numbers.items())


@dataclass(slots=True)
class _Section:
    """The changes of one manifest, folded. Of every row there is a short form."""

    manifest: ManifestView
    columns: tuple[str, ...]
    rows: list[tuple[str, str, str]]  # (label of the action, full, short)

    @property
    def frame(self) -> str:
        """What comes before the rows."""
        title = f"{marked(self.manifest.name, 80)}: {_tally(_numbers(self.manifest))}"
        head = f"| {' | '.join(self.columns)} |\n|{'---|' * len(self.columns)}\n"
        return f"<details>\n<summary>{title}</summary>\n\n{head}"

    @property
    def size(self) -> int:
        """Bytes, when nothing is left out."""
        return _size(self.frame) + _REST + _size(_END) + sum(_size(full) for _, full, _ in self.rows)

    @property
    def least(self) -> int:
        """Bytes, with one row in short."""
        return _size(self.frame) + _REST + _size(_END) + _size(self.rows[0][2])

    def text(self, room: int) -> str:
        """Return at most `room` bytes; nothing when there is no room for a row."""
        frame = self.frame
        shown = self._fitting(room - _size(frame) - _REST - _size(_END))
        if not shown:
            return ""
        rest = Counter(_numbers(self.manifest))
        rest.subtract(label for label, _, _ in self.rows[: len(shown)])
        left = {label: number for label, number in rest.items() if number > 0}
        words = f"\nand {sum(left.values()):,} more: {_tally(left)}\n" if left else ""
        return frame + "".join(shown) + words + _END

    def _fitting(self, room: int) -> list[str]:
        """Return the first rows in short, then as many of them as there is room for in full."""
        shown: list[str] = []
        for _, _, short in self.rows:
            room -= _size(short)
            if room < 0:
                room += _size(short)
                break
            shown.append(short)
        for number, (_, full, short) in enumerate(self.rows[: len(shown)]):
            room -= _size(full) - _size(short)
            if room < 0:
                break
            shown[number] = full
        return shown


def _sections(review: Review, previews: Mapping[AssetKey, Preview]) -> list[_Section]:
    """Return a section per manifest that has changes to list."""
    compared = any(one.comparison for one in previews.values())
    columns = ("", "asset", "why", *(("pixels",) if compared else ()), "what")
    labels = {one.action: one.label for one in review.counts}
    rows: dict[str, list[tuple[str, str, str]]] = {}
    for change in review.changes:
        if review.kind is Kind.APPLY and change.action in PLAIN:
            continue
        start = f"| {change.action.replace('_', ' ')} | {cell(change.name)} | {_why(change)} |"
        preview = previews.get(change.key)
        start += f" {_pixels(preview)} |" if compared else ""
        full, short = f"{start} {'<br>'.join(_details(change, preview))} |\n", f"{start} |\n"
        rows.setdefault(change.manifest, []).append((labels[change.action], full, short))
    return [_Section(one, columns, rows[one.name]) for one in review.manifests if one.name in rows]


def _why(change: ChangeView) -> str:
    """Return the reason; in an apply it may be the provider's code."""
    words = sentence(change.reason)
    return words if words == change.reason else cell(change.reason)


def _opened(sections: Iterable[_Section], room: int) -> Iterator[_Section]:
    """Yield as many sections as there is room for, with one row each."""
    for section in sections:
        room -= section.least
        if room >= 0:
            yield section


def _pixels(preview: Preview | None) -> str:
    if preview is None or preview.comparison is None:
        return ""
    return "looks equal" if preview.looks_equal else share(preview.comparison.changed)


def _details(change: ChangeView, preview: Preview | None) -> Iterator[str]:
    """Describe where the file lies, what somebody else says about it, and what differs."""
    if said := lacking(change, preview):
        yield cell(said, 200)
    if change.path:
        yield f"{cell(change.was)} → {cell(change.path)}" if change.was else cell(change.path)
    if change.detail:
        yield cell(change.detail, 200)
    if change.remedy:
        yield sentence(change.remedy)
    yield from map(_value, change.values[:VALUES])
    more = change.more + len(change.values) - VALUES
    if more > 0:
        yield f"and {more:,} more"


def _value(value: Value) -> str:
    name = cell(value.name, 60)
    if value.old and value.new:
        return f"{name}: {cell(value.old, 80)} → {cell(value.new, 80)}"
    return f"{name}: {cell(value.old or value.new, 80)}"


def _template(template: TemplateView) -> tuple[str, str]:
    """Return a template with its diff, and without."""
    facts = "".join(f"- {code(fact, 200)}\n" for fact in template.facts)
    gap = "\n" if facts else ""
    frame = f"<details>\n<summary>Template {marked(template.name, 80)}: {template.action}</summary>\n\n{facts}"
    diff = f"{gap}{fenced((line.text for line in template.diff), 'diff')}" if template.diff else ""
    lines = f"{gap}html: {count(len(template.diff), 'line')} of differences\n" if template.diff else ""
    return frame + diff + _END, frame + lines + _END


def _fitting(templates: Sequence[tuple[str, str]], room: int) -> Iterator[str]:
    """Yield templates while there is room, with their diffs where possible; then count the others."""
    room -= 60
    for number, (full, short) in enumerate(templates):
        text = next((one for one in (full, short) if _size(one) <= room), None)
        if text is None:
            yield f"and {count(len(templates) - number, 'more template', 'more templates')}\n\n"
            return
        room -= _size(text)
        yield text
