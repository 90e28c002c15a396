"""Routes of pictures that no template makes, of look-ups, and of the files (Pictify, Images, GIFs, Renders)."""

from __future__ import annotations

import json
import mimetypes
import os
import re
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from werkzeug.wrappers import Response

from pictify_sync.providers.pictify.server.batches.accepted import Order, RenderOptions
from pictify_sync.providers.pictify.server.batches.dialects import PictureView
from pictify_sync.providers.pictify.server.context import ServerContext
from pictify_sync.providers.pictify.server.requests import Call
from pictify_sync.providers.pictify.server.store.renders import RenderQuery, image_shape, render_shape
from pictify_sync.providers.pictify.server.store.templates import Side
from pictify_sync.providers.pictify.server.wire import (
    Answer,
    Omittable,
    WireError,
    WireModel,
    checked,
    instant,
    one_of,
    whole,
)

FILE_NAME = re.compile(r"[0-9a-f]{64}\.[a-z0-9]+")
IMAGE_SIZE, GIF_SIZE = (1280, 720), (800, 600)  # pixels (vendor's Python client; OpenAPI says 1200x630)
GIF_SIDE = 2000  # pixels (Pictify, GIFs)
FORMATS = ("png", "jpg", "jpeg", "webp")
MAX_PIXELS = 50_000_000
KINDS = {"ALL": (), "PNG": ("batch", "render", "image"), "GIF": ("gif",), "PDF": ("none",), "MP4": ("none",)}

# What makes a page move: of anything else a GIF would have one frame, which the vendor refuses (Pictify, GIFs).
MOVES = re.compile(r"@keyframes|animation(?:-name)?\s*:|<animate|<script|<video|<marquee|\.gif\b|data:image/gif", re.I)


class PageBody(WireModel):
    """Where a picture comes from: exactly one of html, url and template."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [one]} for one in ("html", "url", "template")]})

    html: Omittable[Annotated[str, Field(min_length=1)]] = None
    url: Omittable[Annotated[str, Field(min_length=1, max_length=2000)]] = None
    template: Omittable[Annotated[str, Field(min_length=1)]] = None
    variables: dict[str, Any] = Field(default={})
    width: Omittable[Side] = None
    height: Omittable[Side] = None


class ImageRequest(PageBody):
    """The body of POST /image. `selector` is taken and ignored: the whole page is drawn."""

    selector: str = ""
    fileExtension: str = Field(default="png", json_schema_extra={"enum": [*FORMATS]})  # noqa: N815 - in any case


class GifRequest(PageBody):
    """The body of POST /gif."""

    quality: Literal["low", "medium", "high"] = "medium"


def _order(context: ServerContext, call: Call, wanted: PageBody, size: tuple[int, int], how: RenderOptions) -> Order:
    """What to render for a body; 400 unless it has exactly one source."""
    if sum(one is not None for one in (wanted.html, wanted.url, wanted.template)) != 1:
        raise WireError(400, "Exactly one of html, url and template is needed")
    if wanted.template is not None:
        source = context.templates.source_of(wanted.template, call.team, (wanted.width, wanted.height))
        return Order(source, [wanted.variables], how, wanted.template, call.team, "render", call.base)
    width, height = wanted.width or size[0], wanted.height or size[1]
    if width * height > MAX_PIXELS:
        raise WireError(422, f"{width}x{height}: more than {MAX_PIXELS} pixels")
    html = wanted.html if wanted.url is None else _fetched(call, wanted.url)
    source = context.templates.page_source(width, height)
    return Order(source, [{"content": html}], how, "", call.team, "image", call.base)


def _fetched(call: Call, url: str) -> str:
    if call.options.fetch is None:
        raise WireError(422, "This server fetches no pages: send html", "url_not_allowed")
    try:
        return call.options.fetch(url).decode("utf-8", "replace")
    except (ValueError, OSError) as error:
        raise WireError(422, f"url: {error}", "url_not_allowed") from None


def _picture(context: ServerContext, order: Order) -> tuple[PictureView, float]:
    """Render; 422 with the reason when it cannot be made."""
    view = context.render_now(order)
    pictures = [one for item in view.items for one in item.pictures]
    if not pictures:
        raise WireError(500, "The render was cancelled")
    if not pictures[0].file:
        raise WireError(422, pictures[0].message or pictures[0].code, pictures[0].code)
    return pictures[0], view.completed or view.created


def create_image(context: ServerContext, call: Call) -> Answer:
    """Render a page at once."""
    wanted = checked(ImageRequest, call.body())
    if (extension := wanted.fileExtension.lower()) not in FORMATS:
        raise WireError(422, f"fileExtension is one of {', '.join(FORMATS)}", "unsupported_format")
    how = checked(RenderOptions, {"format": extension})
    one, at = _picture(context, _order(context, call, wanted, IMAGE_SIZE, how))
    assert one.file
    return Answer({"url": call.link(one.file), "id": one.id, "createdAt": instant(at)})


def create_gif(context: ServerContext, call: Call) -> Answer:
    """Render a page as a GIF of one frame: nothing moves here. 422 for a source that moves nowhere."""
    wanted = checked(GifRequest, call.body())
    if max(wanted.width or 0, wanted.height or 0) > GIF_SIDE:
        raise WireError(422, f"A GIF has at most {GIF_SIDE}x{GIF_SIDE} pixels")
    order = _order(context, call, wanted, GIF_SIZE, RenderOptions())
    if not MOVES.search(json.dumps([order.source.html, *order.sets])):
        raise WireError(422, "The source has no animation: use POST /image", "static_source")
    one, _ = _picture(context, replace(order, kind="gif"))
    assert one.file
    name = _gif(context, one.file)
    context.renders.turn(one.id, name)
    size = {"width": one.width, "height": one.height, "animationLength": 0}
    return Answer({"gif": {"url": call.link(name), "uid": one.id, **size}})


def _gif(context: ServerContext, file: str) -> str:
    """Write a GIF beside a PNG and return its name."""
    from PIL import Image  # noqa: PLC0415 - nobody else here needs it

    folder, name = context.folder / "files", file.replace(".png", ".gif")
    if not (folder / name).exists():
        new = folder / f"{name}.{os.getpid()}"
        with Image.open(folder / file) as picture:
            picture.convert("RGB").quantize(256).save(new, "GIF")
        new.replace(folder / name)
    return name


def list_images(context: ServerContext, call: Call) -> Answer:
    """Images, newest first."""
    limit, offset = whole(call.args, "limit", 30, 1, 100), whole(call.args, "offset", 0, 0)
    wanted = RenderQuery(call.team, call.options.now(), "", KINDS["PNG"], limit, offset)
    rows, total = context.renders.page(wanted)
    page = {"total": total, "limit": limit, "offset": offset, "hasMore": offset + len(rows) < total}
    return Answer({"images": [image_shape(row, call.link) for row in rows], "pagination": page})


def show_image(context: ServerContext, call: Call) -> Answer:
    """One image."""
    row = context.renders.find(call.values["image"], RenderQuery(call.team, call.options.now()))
    return Answer({"image": image_shape(row, call.link)})


def list_renders(context: ServerContext, call: Call) -> Answer:
    """Renders, newest first; PNG stands for all stills."""
    limit, offset = whole(call.args, "limit", 24, 1, 100), whole(call.args, "offset", 0, 0)
    kinds = KINDS[one_of(call.args, "format", *KINDS)]
    template, now = call.args.get("template", ""), call.options.now()
    foreign = call.args.get("source", "api") != "api"  # everything here came by the API
    wanted = RenderQuery(call.team, now, template, ("none",) if foreign else kinds, limit, offset)
    rows, total = context.renders.page(wanted)
    shown = [render_shape(row, call.link, variables=call.options.lookup_variables) for row in rows]
    page = {"total": total, "limit": limit, "offset": offset, "hasMore": offset + len(rows) < total}
    everything = replace(wanted, kinds=("none",) if foreign else ())
    counts = context.renders.counts(everything, dict.fromkeys(KINDS, ("none",)) if foreign else KINDS)
    histogram = context.renders.histogram(everything)
    return Answer({"renders": shown, "pagination": page, "counts": counts, "histogram": histogram})


def file(context: ServerContext, call: Call) -> Response:
    """A rendered file; no key is needed."""
    name = call.values["name"]
    try:
        data = (context.folder / "files" / name).read_bytes() if FILE_NAME.fullmatch(name) else None
    except FileNotFoundError:
        data = None
    if data is None:
        raise WireError(404, "File not found")
    return Response(data, content_type=mimetypes.guess_type(name)[0] or "application/octet-stream")
