"""The reference page of the manifest language, written from the models and filters themselves.

This module must not know files; a test proves that the page in `docs/` is what it gives.
"""

from __future__ import annotations

from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from pictify_sync.manifest.expressions.filters import FILTERS, TESTS
from pictify_sync.manifest.expressions.operations import MAX_TEXT
from pictify_sync.manifest.schema import AssetsManifest, Layout, TemplateManifest, TemplateVariable

if TYPE_CHECKING:
    from pydantic import BaseModel

_INTRODUCTION = """\
# The manifest language

This page is generated from the models that check every file. `pictify-sync schema` prints them as a JSON Schema for
editors; `pictify-sync validate` checks files and reports every problem of every file, each as
`file:line:column: what; how to fix`.

Files are YAML 1.2 (core schema): `no`, `on` and `1:30` are texts, `010` is ten, and two equal keys are an error.
Anchors, aliases, merge keys and tags are refused. A folder is walked for `*.yaml` and `*.yml`; files whose top is a
list are row data and are skipped. What cannot be read is an error, never the same as nothing. Links are followed
inside the project; one that leads out of it is an error at its place, and so is a folder with a `pictify-sync.yaml` of
its own: that is another project.

Paths in a manifest are relative to its folder, and must stay below the project folder, which is that of
`pictify-sync.yaml`. Nothing is read from where Git and pictify-sync keep their own files (`.git`, `.pictify-sync`, a
repository of any name, the state wherever it is), also not through a link.

Files are in UTF-8. Line ends, a byte order mark and the Unicode form (NFC) of html, css, svg, rows and manifests are
made the same when they are read, so that a checkout with other line ends renders nothing again.
"""

_SECTIONS: tuple[tuple[str, str, type[BaseModel]], ...] = (
    (
        "Assets: `kind: assets`",
        "One picture per row and layout, with the key `<manifest>/<key>@<layout>`.",
        AssetsManifest,
    ),
    (
        "Templates: `kind: template`",
        "`template: NAME` in a manifest means the declared template of that name if there is one, else a uid at the "
        "provider; the embedded one has none but those declared. Pictures, css and fonts that the html names are put "
        "into it.",
        TemplateManifest,
    ),
    ("A layout of a template", "Its key is made of `a-z`, `0-9` and `-`.", Layout),
    ("A variable of a template", "", TemplateVariable),
)

_ROWS = """\
## Rows

| ending | what a row is | values |
|---|---|---|
| (inline) | an item of the list `rows` | as YAML reads them |
| `.csv`, `.tsv` | a line under the line of column names | texts; an empty cell is `''` |
| `.json` | an item of the list that the file holds | as JSON reads them |
| `.jsonl`, `.ndjson` | a line | as JSON reads them |
| `.yaml`, `.yml` | an item of the list that the file holds | as YAML reads them |

Every row must have the same number of cells as the header (CSV), and the same names must not be given twice.

A number of YAML that a text variable shows otherwise than it was written (`3.10` as 3.1, `01234`, `+49151`) is
warned of at its place: put quotes around it.
"""

_EXPRESSIONS = f"""\
## Expressions

A text may hold expressions in Jinja2's syntax: `{{{{ name }}}}`. Columns are names; `row['Official name']` reaches any
other column. A text that is one expression keeps the type of its value (`"{{{{ rating }}}}"` of a JSON number is a
number); otherwise the result is a text of at most {MAX_TEXT:,} characters, and a null inside a text is an error.

Allowed are names, parts (`a.b`, `a['b']`, `a[0]`) of the row's data, literals, lists and mappings, `~`, comparisons,
`in`, `and`, `or`, `not`, `X if Y else Z`, `+`, `-` and `/` on numbers, and the filters and tests below. Calls, loops,
blocks, `*`, `%`, slices, and names that start with `_` are refused when the file is read. An absent column is an error
unless `default` or `is defined` is applied to it.

In `output`, the names `key`, `layout`, `format` and `manifest` are those of the asset. `where` must give true or false.
"""

_OUTPUTS = """\
## Output paths

Paths are relative to the output folder, and fit for every file system: no `..`, no `\\` or any of `< > : " | ? *`, no
control characters, no blank or dot at the end of a part, no name that Windows reserves, or that Git or
pictify-sync keep their own files in (`.git`), at most 255 bytes a part. Two paths must differ in more than letter case,
Unicode form and invisible characters, and none may be the folder of another.
"""


def reference() -> str:
    """Return the page as Markdown."""
    sections = [_INTRODUCTION]
    sections += [_section(*section) for section in _SECTIONS]
    sections += [_ROWS, _EXPRESSIONS, _filters(), _tests(), _OUTPUTS]
    return "\n".join(sections)


def _section(title: str, introduction: str, model: type[BaseModel]) -> str:
    schema = model.model_json_schema(ref_template="{model}")
    lines = [f"## {title}", "", *([introduction, ""] if introduction else [])]
    lines += ["| field | type | default | meaning |", "|---|---|---|---|"]
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        default = "required" if name in required else f"`{_plain(field.get('default'))}`"
        cells = (f"`{name}`", _type(field), default, field["description"])
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _plain(default: Any) -> str:
    words = {None: "-", True: "true", False: "false", "": "''"}
    return words.get(default, str(default)) if not isinstance(default, list | dict) else str(default).replace("'", "")


def _type(field: dict[str, Any]) -> str:
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"])
    if "anyOf" in field:
        return " or ".join(_type(one) for one in field["anyOf"] if one.get("type") != "null")
    if "$ref" in field:
        return "mapping (below)"
    names = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "mapping"}
    kind = names.get(field.get("type", ""), field.get("type", "any value"))
    return f"list of {_type(field['items'])}s" if kind == "array" else kind


def _filters() -> str:
    lines = ["### Filters", "", "| filter | meaning |", "|---|---|"]
    for name, function in sorted(FILTERS.items()):
        given = list(signature(function).parameters.values())[1:]
        shown = ", ".join(p.name if p.default is Parameter.empty else f"{p.name}={p.default!r}" for p in given)
        lines.append(f"| `{name}{f'({shown})' if shown else ''}` | {_first_line(function.__doc__)} |")
    return "\n".join([*lines, ""])


def _tests() -> str:
    return f"### Tests\n\n`X is T`, where T is one of: {', '.join(f'`{name}`' for name in sorted(TESTS))}.\n"


def _first_line(text: str | None) -> str:
    return (text or "").partition(". Raises")[0].split("\n")[0].rstrip(".")
