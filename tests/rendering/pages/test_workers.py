"""The renderer where it lives: in a worker, behind the server, and within its memory."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from pictify_sync.rendering.engines.pool import Chunk, Picture, RenderPool, read_journal, render_chunk
from pictify_sync.rendering.failure import Cause
from pictify_sync.rendering.renderer import Renderer
from tests.rendering.conftest import ENGINES

HTML = '<body style="background:#0f0">{{name}}{{#if bad}}<img src="nowhere.png">{{/if}}</body>'


@pytest.mark.parametrize("engine", ENGINES)
def test_pictures_come_from_workers(tmp_path: Path, engine: str) -> None:
    """A chunk is rendered in another process; one bad picture does not harm the others."""
    variables = ['{"name": "a"}', '{"bad": 1}', '{"name": "b"}']
    pictures = tuple(Picture(place, "default", 64, 32 + place, one) for place, one in enumerate(variables))
    limits = {"strict": False, "quality": None, "seconds": 30.0, "budget": 60.0, "definitions": ()}
    paths = {"folder": str(tmp_path), "journal": str(tmp_path / "journal")}
    chunk = Chunk(partial(Renderer, engine, ("Inter",)), HTML, format="png", pictures=pictures, **limits, **paths)  # type: ignore[arg-type]
    pool = RenderPool(1, ("pictify_sync.rendering.renderer",))
    pool.submit(render_chunk, chunk).result(timeout=60)
    pool.shutdown(wait=True, cancel_futures=True)
    outcomes = [outcome for *_, outcome in read_journal(Path(paths["journal"]))]
    assert outcomes[1]["cause"] == Cause.IMAGE
    for place in (0, 2):
        with Image.open(tmp_path / outcomes[place]["file"]) as image:
            assert image.size == (64, 32 + place)


def test_memory_is_limited() -> None:
    """A process that wants more than its share does not get it; a lower limit that is set already stays."""
    pytest.importorskip("resource")
    script = """if True:
        import resource
        from pictify_sync.rendering.renderer import limit_memory
        limit_memory(2_000_000_000)
        limit_memory(3_000_000_000)
        assert resource.getrlimit(resource.RLIMIT_AS)[0] == 2_000_000_000
        bytearray(2_500_000_000)"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False).stderr
    assert "MemoryError" in said


def test_loading_the_renderer_loads_no_engine() -> None:
    """Neither an engine nor an http client nor Pillow is loaded before it is needed: workers are forked from here."""
    script = """if True:
        import sys, pictify_sync.rendering.renderer
        print(*{"pytakumi", "playwright", "httpx", "PIL"} & set(sys.modules))"""
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == ""
    )
