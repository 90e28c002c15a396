"""A review as one HTML page that needs no other file and no network.

What stands in a review goes into the page as text: by autoescaping where Jinja2 writes it, as JSON that the page's own
script makes into text nodes elsewhere. The page's policy runs that one script and that one style, known by their
digests, shows pictures from `data:` addresses, and loads nothing. This module must not know where values come from.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import IO, TYPE_CHECKING, Any

from pictify_sync import __version__
from pictify_sync.core.model import AssetKey, Reason
from pictify_sync.core.preview import PictureFile, Preview
from pictify_sync.report.pages.embedding import ROOM, embedded
from pictify_sync.report.pages.previews import remarks
from pictify_sync.report.safe import safe
from pictify_sync.report.view import ChangeView, Kind, Review
from pictify_sync.report.words import REASONS, count

if TYPE_CHECKING:
    from jinja2 import Environment

SCRIPTS = ("review.js", "list.js", "detail.js", "page.js")
_PICTURES = {
    Kind.PLAN: ("Before", "After"),
    Kind.APPLY: ("Before", "Stored picture"),
    Kind.DRIFT: ("Before", "Found picture"),
    Kind.RECORDS: ("Before", "Stored picture"),
}
_NOTHING = {
    Kind.PLAN: "There is nothing to do.",
    Kind.APPLY: "Nothing was done.",
    Kind.DRIFT: "Nothing differs from what is recorded.",
    Kind.RECORDS: "Nothing is recorded.",
}


def write_html(review: Review, previews: Mapping[AssetKey, Preview], file: Path) -> None:
    """Write the page, whole or not at all. Raises OSError when the file cannot be written."""
    file = file.resolve()  # so that a link stays one
    draft = file.with_name(f".{file.name}.{token_hex(4)}")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as text:
            _write(review, previews, text)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _write(review: Review, previews: Mapping[AssetKey, Preview], text: IO[str]) -> None:
    """Write piece by piece: the pictures are never together in memory."""
    from markupsafe import Markup  # noqa: PLC0415 - comes with Jinja2, which most commands do not need for words

    environment = _environment()
    style = _read(environment, "page.css")
    script = "".join(['"use strict";\n{\n', *(_read(environment, name) for name in SCRIPTS), "}\n"])
    content = _Content(review, previews)
    page = environment.get_template("page.html").generate(
        review=review,
        remarks=[*review.remarks, *remarks(review, previews)],
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own files
        version=__version__,
        nouns="Recorded pictures" if review.kind is Kind.RECORDS else "Changes",
        notes=content.notes,
        pictured=content.files != {},
        pictures=content.pictures,
        content=content.json,
    )
    text.writelines(page)


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - as above

    loader = PackageLoader("pictify_sync.report", "pages")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)


def _read(environment: Environment, name: str) -> str:
    """Read a file of the page, which must hold nothing that ends the element that it is put into."""
    assert environment.loader is not None
    text = environment.loader.get_source(environment, name)[0]
    assert "</" not in text
    return text


def _policy(style: str, script: str) -> str:
    """Return the Content Security Policy: nothing but this style, this script, and pictures inside the page."""
    styled, scripted = (f"'sha256-{b64encode(sha256(one.encode()).digest()).decode()}'" for one in (style, script))
    return (
        f"default-src 'none'; img-src data:; style-src {styled}; script-src {scripted}; "
        "base-uri 'none'; form-action 'none'"
    )


@dataclass(slots=True)
class _Content:
    """What the script shows. The pictures are asked for before the rest, which names those that found room."""

    review: Review
    previews: Mapping[AssetKey, Preview]
    names: dict[PictureFile, str] = field(default_factory=dict)  # of the pictures that are in the page

    @property
    def files(self) -> dict[PictureFile, None]:
        """The pictures of the listed changes, each once."""
        shown = (self.previews[one.key] for one in self.review.changes if one.key in self.previews)
        return {file: None for preview in shown for file in _files(preview)}

    def pictures(self) -> Iterator[tuple[str, str]]:
        """Yield (name, address) of each picture."""
        for number, (picture, address) in enumerate(embedded(self.files)):
            self.names[picture] = f"picture-{number}"
            yield self.names[picture], address

    def notes(self) -> Iterator[str]:
        """Describe what the page leaves out."""
        review = self.review
        if len(review.changes) < review.total:
            rest = review.total - len(review.changes)
            yield f"{len(review.changes):,} of {review.total:,} are listed; the other {rest:,} are only counted."
        left = len(self.files) - len(self.names)
        if left:
            room = ROOM // 1024 // 1024
            yield f"{count(left, 'picture')} found no room here, or could not be read: a page holds {room} MB of them."

    def json(self) -> Any:
        """Return the JSON, escaped so that nothing in it ends the element that it stands in."""
        from jinja2.utils import htmlsafe_json_dumps  # noqa: PLC0415 - as above

        review = self.review
        manifests = {one.name: number for number, one in enumerate(review.manifests)}
        actions = {one.action: number for number, one in enumerate(review.counts)}
        reasons = {reason: number for number, reason in enumerate(sorted({one.reason for one in review.changes}))}
        before, after = _PICTURES[review.kind]
        return htmlsafe_json_dumps(
            {
                "kind": review.kind,
                "total": review.total,
                "nothing": _NOTHING[review.kind],
                "before": before,
                "after": after,
                "pictured": bool(self.names),
                "grid": review.kind is Kind.RECORDS and bool(self.names),
                "manifests": [{"name": one.name, "total": one.total} for one in review.manifests],
                "actions": [{"name": one.action, "label": one.label, "number": one.number} for one in review.counts],
                "reasons": list(reasons),
                "templates": [
                    {"name": one.name, "diff": [(line.text, line.tone) for line in one.diff]}
                    for one in review.templates
                ],
                "changes": [
                    {
                        "manifest": manifests[one.manifest],
                        "action": actions[one.action],
                        "reason": reasons[one.reason],
                        **self._told(one),
                    }
                    for one in review.changes
                ],
            }
        )

    def _told(self, change: ChangeView) -> dict[str, Any]:
        """Return what there is to say of one change; what is empty is left out."""
        names = ("name", "detail", "remedy", "renders", "place", "path", "was", "template", "values", "more")
        told = {name: getattr(change, name) for name in names}
        told["templated"] = change.reason == REASONS[Reason.TEMPLATE_CHANGED]
        preview = self.previews.get(change.key)
        if preview is not None:
            told["note"] = safe(preview.note)
            told["before"], told["after"] = (
                self.names.get(one) if one else None for one in (preview.before, preview.after)
            )
        told = {name: value for name, value in told.items() if value}
        return told | self._compared(preview)

    def _compared(self, preview: Preview | None) -> dict[str, Any]:
        if preview is None or preview.comparison is None:
            return {}
        found: dict[str, Any] = {"changed": preview.comparison.changed}
        difference, before, after = preview.comparison.difference, preview.before, preview.after
        if difference in self.names:
            found["difference"] = self.names[difference]
        elif before and after and (before.width, before.height) != (after.width, after.height):
            sizes = (f"{one.width}x{one.height}" for one in (before, after))
            found["unlike"] = f"The pictures have different sizes: {' and '.join(sizes)} pixels."
        return found


def _files(preview: Preview) -> Iterator[PictureFile]:
    difference = preview.comparison.difference if preview.comparison else None
    yield from (one for one in (preview.before, preview.after, difference) if one is not None)
