"""Pictures per second of an apply, beside the bare engine on the same pictures in the same run.

    python -m benchmarks.render [--pictures 400] [--runs 5] [--workers N]

The pictures are those of the shipped manifests, with as many countries as fit. Both are whole processes, from start to
exit, each in a fresh folder, in turns; CPU seconds are those of all their processes. The files must be equal, byte for
byte.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pictify_sync.core.model import Asset, split_key
from pictify_sync.core.template import TemplateSource
from pictify_sync.manifest.desired import Manifests
from pictify_sync.rendering.engines.takumi.engine import BASE
from pictify_sync.rendering.fonts import find
from pictify_sync.rendering.page.document import compile_sheet, split, wrap_page
from pictify_sync.rendering.page.images import decode_data_uri, placeholder
from pictify_sync.wiring import open_project

SHIPPED = Path(__file__).parents[1] / "manifests"
ROOT = str(Path(__file__).parents[1])
OTHERS = 72 + 17  # pictures of products and releases
INLINED = re.compile(r"""(?<=["'(])data:image/[\w.+-]+;base64,[A-Za-z0-9+/=]+(?=["')])""")
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one side."""

    wall: float  # seconds
    cpu: float  # seconds of all its processes


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=int, default=399, help="how many, at least 91")
    parser.add_argument("--runs", type=int, default=5, help="of each side")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="render processes of each side")
    options = parser.parse_args()
    if sys.platform == "linux":  # processes whose parent is gone become ours: their CPU counts
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), options.pictures, options.runs, options.workers)


def compare(folder: Path, pictures: int, runs: int, workers: int) -> None:
    """Run both sides in turns and print what came of it."""
    project = folder / "project"
    write_project(project, pictures, workers)
    work, number = folder / "work.json", 0
    work.write_text(json.dumps(bare_work(project, folder)))
    number = len(json.loads(work.read_text())["shots"])
    apply = [sys.executable, "-m", "pictify_sync", "apply", "--yes"]
    bare = [sys.executable, "-m", "benchmarks.bare", str(work), str(folder / "bare"), str(workers)]
    pairs = []
    print(f"{number} pictures, {workers} processes\n{'':6} {'apply':>18} {'bare engine':>18} {'ratio':>11}")
    for turn in range(runs):
        sides = [(apply, project, ("output", ".pictify-sync")), (bare, folder, ("bare",))]
        measured = {}
        for command, place, made in reversed(sides) if turn % 2 else sides:
            for name in made:
                shutil.rmtree(place / name, ignore_errors=True)
            measured[place] = measure(command, place)
        pairs.append((measured[project], measured[folder]))
        print(line(f"run {turn + 1}", number, *pairs[-1]), flush=True)
    mine, theirs = zip(*pairs, strict=True)
    print(line("best", number, fastest(mine), fastest(theirs)))
    walls = statistics.median(b.wall / a.wall for a, b in pairs)
    cpus = statistics.median(b.cpu / a.cpu for a, b in pairs)
    print(f"median of the ratios: {walls:.2f} by wall clock, {cpus:.2f} by CPU")
    differing = digests(project / "output") ^ digests(folder / "bare")
    print(f"files that differ: {len(differing)}")


def fastest(runs: Sequence[Run]) -> Run:
    """The best of each figure."""
    return Run(min(run.wall for run in runs), min(run.cpu for run in runs))


def line(name: str, number: int, mine: Run, theirs: Run) -> str:
    """One line of the table."""
    sides = " ".join(f"{number / one.wall:>6.1f}/s {one.cpu:>5.1f} CPU s" for one in (mine, theirs))
    return f"{name:6} {sides} {theirs.wall / mine.wall:>5.2f} {theirs.cpu / mine.cpu:>5.2f}"


def measure(command: Sequence[str], folder: Path) -> Run:
    """Run a command and wait for all that it started."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environ = {**os.environ, "PYTHONPATH": ROOT}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    with suppress(ChildProcessError):
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return Run(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def digests(folder: Path) -> set[tuple[str, str]]:
    """(path, sha256) of all files."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {(str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files}


def write_project(folder: Path, pictures: int, workers: int) -> None:
    """The shipped manifests with as many countries as make up the number, two pictures each."""
    shutil.copytree(SHIPPED, folder / "manifests")
    (folder / "pictify-sync.yaml").write_text(f"version: 1\nproviders: {{local: {{workers: {workers}}}}}\n")
    table = folder / "manifests/data/countries.csv"
    head, *rows = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join([head, *rows[: max(1, (pictures - OTHERS) // 2)]]), encoding="utf-8")


def bare_work(folder: Path, scratch: Path) -> dict[str, Any]:
    """What the other side needs: prepared templates, and per picture the variables and what to make of them."""
    project = open_project(folder / "pictify-sync.yaml", {})
    manifests = project.read([str(folder / "manifests")])
    faces = find(project.provider_settings("local").fonts)
    sources = {source.name: source for source in manifests.templates}
    numbers = {name: number for number, name in enumerate(sources)}
    shots = list(bare_shots(manifests, sources, numbers, scratch))
    project.close()
    return {
        "fonts": list(dict.fromkeys(str(face.path) for face in faces)),
        "families": list(dict.fromkeys(face.family for face in faces)),
        "templates": [bare_template(source) for source in sources.values()],
        "shots": shots,
    }


def bare_template(source: TemplateSource) -> dict[str, Any]:
    """Html of the body, stylesheets, and pictures by placeholder."""
    images: dict[str, str] = {}

    def out(found: re.Match[str]) -> str:
        images[placeholder(found[0])] = decode_data_uri(found[0]).decode()
        return placeholder(found[0])

    parts = split(INLINED.sub(out, source.html))
    sheets = [BASE, *(compile_sheet(style, whole_pages=False).css for style in parts.styles)]
    return {"body": wrap_page(parts.root, parts.body, parts.inner), "sheets": sheets, "images": images}


def bare_shots(
    manifests: Manifests, sources: dict[str, TemplateSource], numbers: dict[str, int], scratch: Path
) -> Iterator[tuple[Any, ...]]:
    """Every picture, in the order of the keys."""
    for asset in manifests:
        source = sources[asset.spec.template]
        variables, images = extract_images(manifests, asset, scratch)
        for rule in source.variables:
            if rule.default and variables.get(rule.name) is None:
                variables[rule.name] = json.loads(rule.default)
        size = source.layouts[split_key(asset.key)[2]]
        shape = ((size.width, size.height), asset.spec.format, json.loads(asset.spec.options).get("quality"))
        yield numbers[source.name], json.dumps(variables), images, *shape, asset.output


def extract_images(manifests: Manifests, asset: Asset, scratch: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Variables with pictures as placeholders, and the files of these pictures."""
    variables, images = dict(manifests.payload(asset.key, asset.variables)), dict[str, str]()
    for name, value in variables.items():
        if isinstance(value, str) and value.startswith("data:image/"):
            variables[name] = stand_in = placeholder(value)
            path = scratch / stand_in.rpartition("/")[2]
            path.write_bytes(decode_data_uri(value))
            images[stand_in] = str(path)
    return variables, images


if __name__ == "__main__":
    main()
