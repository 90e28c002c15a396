"""Pages that a command writes on request: Markdown for a pull request or a run's summary, HTML to look around in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pictify_sync.cli.options import with_options
from pictify_sync.errors import UsageError

if TYPE_CHECKING:
    from pictify_sync.core.model import AssetKey
    from pictify_sync.core.preview import Preview
    from pictify_sync.report.view import Review
    from pictify_sync.wiring import Project

file_type = click.Path(dir_okay=False, writable=True)
html_option = click.option(
    "--html", type=file_type, metavar="FILE", help="Write an HTML page that needs no other file."
)
page_options = with_options(
    html_option,
    click.option("--markdown", type=file_type, metavar="FILE", help="Write Markdown that fits a comment on GitHub."),
    click.option("--summary", type=file_type, metavar="FILE", help="Append Markdown that fits a GitHub job summary."),
)


@contextmanager
def _into(file: str) -> Iterator[None]:
    """Name the file that the block writes where it cannot be written. Raises UsageError."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read it has gone
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {(error.strerror or str(error)).lower()}") from None


@dataclass(frozen=True, slots=True)
class Pages:
    """The files that were asked for."""

    html: str | None = None
    markdown: str | None = None
    summary: str | None = None

    def __bool__(self) -> bool:
        return any((self.html, self.markdown, self.summary))

    def write(self, review: Review, previews: Mapping[AssetKey, Preview]) -> None:
        """Write them all."""
        from pictify_sync.report.markdown.plan import COMMENT, JOB_SUMMARY, markdown

        if self.html:
            from pictify_sync.report.pages.html import write_html

            with _into(self.html):
                write_html(review, previews, Path(self.html))
        if self.markdown:
            with _into(self.markdown), Path(self.markdown).open("w", encoding="utf-8", newline="\n") as file:
                file.write(markdown(review, previews, COMMENT))
        if self.summary:
            with _into(self.summary), Path(self.summary).open("a", encoding="utf-8", newline="\n") as file:
                file.write(f"\n{markdown(review, previews, JOB_SUMMARY)}\n")

    def write_pictured(self, review: Review, project: Project, keys: Iterable[AssetKey]) -> None:
        """Write them all, with the published pictures of these assets in the HTML page."""
        from pictify_sync.wiring.pictures import published

        with published(project, keys if self.html else ()) as previews:
            self.write(review, previews)


def pages_of(options: dict[str, object]) -> Pages:
    """Take the files that were asked for out of a command's options. Raises UsageError for one that cannot be."""
    found = {name: str(one) for name in ("html", "markdown", "summary") if (one := options.pop(name)) is not None}
    for name, file in found.items():
        check_place(name, file)
    return Pages(**found)


def check_place(name: str, file: str) -> None:
    """Refuse, before anything is done, a page that could not be written afterwards. Raises UsageError."""
    from pictify_sync.errors import UsageError

    place = Path(file)
    if not place.absolute().parent.is_dir():
        raise UsageError(f"--{name} {file}: there is no such folder", hint="make the folder first; nothing was done")
    if place.exists() and place.name.endswith((".db", ".db-wal", ".db-shm")):  # the state's own, perhaps
        raise UsageError(f"--{name} {file}: this is a database", hint="name a new file, or one to replace")
    if name == "html" and place.exists() and not place.is_file():  # a device, say, which a page would replace
        raise UsageError(f"--{name} {file}: this is no file", hint="name a new file, or one to replace")
