"""The manifest language as models: what a file may say, before any row is read.

Every field's description is the text of the reference page and of the JSON Schema that editors use.
This module must not know where files lie or what the rows hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pictify_sync.core.media import IMAGES
from pictify_sync.core.model import DEFAULT_LAYOUT

MAX_LAYOUTS = 20  # of a template (Pictify, OpenAPI of single renders)
MAX_SIDE = 10_000  # pixels
MAX_PIXELS = 50_000_000  # of one picture
FORMATS = tuple(media.name for media in IMAGES)  # where nobody says which ones a provider makes


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):  # Python takes true for 1
        raise ValueError("should be 1")
    return value


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]*$", max_length=128)]
LayoutName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_$][A-Za-z0-9_$-]*$", max_length=128)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
VariableType = Literal["text", "image", "color", "number", "boolean", "url", "date", "array", "object"]


Version = Annotated[Literal[1], BeforeValidator(_no_truth)]
RowsName = Annotated[str, Field(min_length=1), Tag("file")]
InlineRow = Annotated[
    Any, WithJsonSchema({"type": "object", "minProperties": 1})
]  # checked one by one, with its line, when it is used
RowsList = Annotated[list[InlineRow], Tag("list")]
_NO_ROWS = "should be the name of a file, or a list of mappings"


def _kind_of_rows(value: Any) -> str | None:
    return "file" if isinstance(value, str) else "list" if isinstance(value, list) else None


def _not_the_default(name: str) -> str:
    if name == DEFAULT_LAYOUT:
        raise ValueError("is the base size: set 'width' and 'height' of the template instead")
    return name


# What `_quality_fits` says, for editors.
_QUALITY_NEEDS_A_FORMAT: dict[str, Any] = {
    "if": {"properties": {"quality": {"type": "number"}}, "required": ["quality"]},
    "then": {"properties": {"format": {"enum": ["jpeg", "webp"]}}, "required": ["format"]},
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class AssetsManifest(_Strict):
    """A set of pictures: one per row and layout."""

    model_config = ConfigDict(json_schema_extra=_QUALITY_NEEDS_A_FORMAT)

    version: Version = Field(description="Version of the manifest language.")
    kind: Literal["assets"] = Field("assets", description="What the file declares.")
    name: Name | None = Field(
        None, description="First part of every asset's key. Default: the name of the file without its ending."
    )
    template: str = Field(
        min_length=1, max_length=128, description="A declared template's name, else the provider's uid of a template."
    )
    layouts: list[LayoutName] = Field(
        [DEFAULT_LAYOUT],
        min_length=1,
        max_length=MAX_LAYOUTS,
        json_schema_extra={"uniqueItems": True},
        description="Sizes to render each row in; `default` is the template's base size.",
    )
    format: str = Field("png", description="Format of the pictures.", json_schema_extra={"enum": list(FORMATS)})
    quality: Annotated[float, Field(ge=0.1, le=1.0)] | None = Field(
        None,
        description="Quality of jpeg and webp, 0.1 to 1.0. Default: 0.9. Not for png. As `options: {quality: ...}`.",
    )
    options: dict[str, Any] = Field({}, description="Options that the provider has, by name.")
    rows: Annotated[
        RowsName | RowsList, Discriminator(_kind_of_rows, custom_error_type="rows", custom_error_message=_NO_ROWS)
    ] = Field(
        description="The data: a CSV, JSON, JSONL or YAML file beside the manifest, or an inline list of mappings."
    )
    where: str | None = Field(None, description="An expression; only the rows for which it is true are used.")
    key: str = Field(min_length=1, description="An expression: the item's name in its key, unique in the manifest.")
    variables: dict[VariableName, Any] = Field(
        {},
        description="What the template is filled with; texts are expressions, at any depth.",
        json_schema_extra={"additionalProperties": False},
    )
    output: str = Field(
        "{{ manifest }}/{{ key }}.{{ layout }}.{{ format }}",
        min_length=1,
        description="An expression: the picture's path below the output folder. "
        "It may also use `key`, `layout`, `format` and `manifest`.",
    )
    provider: str | None = Field(
        None, min_length=1, description="The provider that renders. Default: that of the settings."
    )
    protect: bool = Field(False, description="True: these assets are never deleted.")

    @field_validator("layouts")
    @classmethod
    def _distinct(cls, layouts: list[str]) -> list[str]:
        if len(set(layouts)) < len(layouts):
            twice = sorted({layout for layout in layouts if layouts.count(layout) > 1})
            raise ValueError(f"should name each layout once, not {twice[0]!r} twice")
        return layouts

    @field_validator("format")
    @classmethod
    def _format_is_made(cls, format_: str, given: ValidationInfo) -> str:
        formats = (given.context or {}).get("formats", FORMATS)
        if format_ not in formats:
            quoted = [repr(one) for one in formats]
            expected = " or ".join([", ".join(quoted[:-1]), quoted[-1]] if quoted[1:] else quoted)
            raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})
        return format_

    @field_validator("quality")
    @classmethod
    def _quality_fits(cls, quality: float | None, given: ValidationInfo) -> float | None:
        if quality is not None and given.data.get("format") == "png":
            raise ValueError("should not be set for png: remove it, or choose jpeg or webp")
        return quality


class Layout(_Strict):
    """The size of one layout."""

    width: Side = Field(description="Pixels.")
    height: Side = Field(description="Pixels.")
    name: str = Field("", max_length=128, description="Display name; it does not change the pictures.")

    @model_validator(mode="after")
    def _sane(self) -> Layout:
        if self.width * self.height > MAX_PIXELS:
            raise ValueError(f"should be at most {MAX_PIXELS // 1_000_000} megapixels, not {self.width}x{self.height}")
        return self


class TemplateVariable(_Strict):
    """What a template expects of one variable."""

    type: VariableType = Field("text", description="Type of the value; a local file may be given for an `image`.")
    required: bool = Field(False, description="True: a row that leaves it empty is refused.")
    max_length: int | None = Field(None, ge=1, description="Characters at most.")
    default: Any = Field(None, description="Used by the provider when the variable is absent.")
    sensitive: bool = Field(False, description="True: kept as a keyed digest in state, plans, reports and logs.")


class TemplateManifest(_Strict):
    """A template of your own, pushed to the provider before the batches that need it."""

    version: Version = Field(description="Version of the manifest language.")
    kind: Literal["template"] = Field(description="What the file declares.")
    name: Name | None = Field(None, description="What manifests call it. Default: the file's name without its ending.")
    html: str = Field(min_length=1, description="The Handlebars file, beside this one.")
    width: Side = Field(description="Pixels of the layout `default`.")
    height: Side = Field(description="Pixels of the layout `default`.")
    layouts: dict[Annotated[LayoutName, AfterValidator(_not_the_default)], Layout] = Field(
        {},
        max_length=MAX_LAYOUTS - 1,
        description="More sizes; the html adapts by flex and `@media`.",
        json_schema_extra={"additionalProperties": False, "propertyNames": {"not": {"const": DEFAULT_LAYOUT}}},
    )
    variables: dict[VariableName, TemplateVariable] = Field(
        {}, description="Rules for the variables.", json_schema_extra={"additionalProperties": False}
    )

    @model_validator(mode="after")
    def _sane(self) -> TemplateManifest:
        if self.width * self.height > MAX_PIXELS:
            raise ValueError(f"should be at most {MAX_PIXELS // 1_000_000} megapixels, not {self.width}x{self.height}")
        return self


def json_schema(formats: Sequence[str] = FORMATS) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a manifest file, for editors; `formats` are those that providers make."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only the command `schema` needs it

    schema = TypeAdapter(AssetsManifest | TemplateManifest).json_schema()
    schema["$defs"]["AssetsManifest"]["properties"]["format"]["enum"] = list(formats)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pictify-sync manifest", **schema}
