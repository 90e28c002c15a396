"""Small pictures on disk, and previews made of them, for the tests of pages."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageChops

from pictify_sync.core.preview import Comparison, PictureFile, Preview
from pictify_sync.report.view import Review

SIZE = (240, 126)


def picture(folder: Path, name: str, colour: str, *, size: tuple[int, int] = SIZE, media: str = "png") -> PictureFile:
    """A picture of one colour with a mark that depends on its name."""
    image = Image.new("RGB", size, colour)
    image.paste("white", (10, 10, 10 + 4 * (len(name) % 20), 40))
    file = folder / f"{name}.{media}"
    image.save(file)
    return PictureFile(str(file), f"image/{media}", *size)


def compared(folder: Path, name: str, old: PictureFile, new: PictureFile) -> Comparison:
    """The share of the pixels that differ, and a picture of them."""
    with Image.open(old.path) as before, Image.open(new.path) as after:
        mask = (
            ImageChops.difference(before.convert("RGB"), after.convert("RGB"))
            .convert("L")
            .point(lambda v: 255 * (v > 0))
        )
        changed = mask.histogram()[255] / (old.width * old.height)
        file = folder / f"{name}.png"
        mask.save(file)
    return Comparison(changed, PictureFile(str(file), "image/png", old.width, old.height) if changed else None)


def previews(folder: Path, review: Review) -> dict[object, Preview]:
    """A preview for each change: before and after in turns alike, a little different, of other sizes; or only after."""
    found: dict[object, Preview] = {}
    for number, change in enumerate(review.changes):
        name = f"p{number:04}"
        old = picture(folder, f"{name}.before", "#205070")
        match number % 5 if change.action == "update" else 5:
            case 0:
                found[change.key] = Preview(change.key, old, old, Comparison(0.0, None))
            case 1:
                new = picture(folder, f"{name}.after", "#205070", size=(120, 120))
                found[change.key] = Preview(change.key, old, new, Comparison(1.0, None))
            case 5:
                found[change.key] = Preview(change.key, None, old, None, "drawn by another engine")
            case _:
                new = picture(folder, f"{name}.then", "#207050")
                found[change.key] = Preview(change.key, old, new, compared(folder, f"{name}.difference", old, new))
    return found
