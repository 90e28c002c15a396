"""Whether the embedded engine works here: fonts are looked for, and a worker draws a picture that is kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import TimeoutError as TookTooLong

from pebble import ProcessExpired

from pictify_sync.rendering.engines.pool import Page, RenderPool
from pictify_sync.rendering.failure import RenderFailed
from pictify_sync.rendering.fonts import engine_identity, installed

PAGE = "<!doctype html><html><body><p>Aa</p></body></html>"
SIDE = 32  # pixels
STARTING = 30.0  # seconds that a worker, or a browser, may take to start


def missing_families(families: Sequence[str]) -> tuple[str, ...]:
    """Those of the font families that are not installed, in the order given."""
    known = installed()
    return tuple(one for one in families if one.casefold() not in known)


def version(engine: str) -> str:
    """Name and version of an engine; the version is `missing` when it is not installed."""
    return engine_identity(engine, ()).partition("+")[0]


def try_worker(engine: str, families: Sequence[str], seconds: float) -> str:
    """Start a worker and let it draw and return what went wrong, "" when nothing did. `seconds`: for the picture."""
    pool = RenderPool(1, ("pictify_sync.rendering.renderer",), longest=STARTING + seconds)
    try:
        size = pool.submit(_draw, engine, tuple(families)).result()
    except RenderFailed as error:
        return error.message
    except ProcessExpired as error:
        return f"the worker died: {error}"
    except TookTooLong:
        return f"the worker drew nothing within {STARTING + seconds:g} s"
    except Exception as error:  # whatever an engine raises is what is to be told
        return f"{type(error).__name__}: {error}"
    finally:
        pool.shutdown(cancel_futures=True)
    return "" if size else "the worker drew an empty picture"


def _draw(engine: str, families: tuple[str, ...]) -> int:
    """Run in the worker and return the size of the picture in bytes."""
    from pictify_sync.rendering.renderer import Renderer  # noqa: PLC0415 - in the worker only

    renderer = Renderer(engine, families)
    try:
        return len(renderer.render(Page(PAGE, {}, SIDE, SIDE, "png", None)))
    finally:
        renderer.close()
