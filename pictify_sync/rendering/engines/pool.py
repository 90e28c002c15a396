"""Render workers: one killable process per core, given chunks of pictures.

A worker writes each picture itself, and a line about it to the chunk's journal; the journal is the result. So when a
worker is killed in mid-chunk, what it had finished is kept and the picture it was busy with is known. Nothing here
knows batches, SQLite or HTTP; any `concurrent.futures.Executor` can stand in for `RenderPool`.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import hashlib
import json
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar

from pebble import ProcessPool

from pictify_sync.redaction import Redactor
from pictify_sync.rendering.failure import Cause, RenderFailed, of_the_machine

P = ParamSpec("P")
T = TypeVar("T")

EXTENSIONS = {"png": "png", "jpeg": "jpg", "webp": "webp"}
LONGEST_TEXT = 2_000  # characters of a failure
LEAST_FILES, FILES_PER_WORKER = 24, 4  # descriptors of the process, and of the pipes to each worker
SHARED_MEMORY = "/dev/shm, where worker processes keep their locks"  # noqa: S108 - a name, nothing is opened
_NO_SHARED_MEMORY = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOENT)
PR_SET_PDEATHSIG = 1  # prctl(2)


class Page(NamedTuple):
    """What a renderer needs for one picture."""

    html: str
    variables: Mapping[str, Any]
    width: int  # pixels
    height: int
    format: str
    quality: float | None
    raw_html: tuple[str, ...] = ()  # variables that may be put in without escaping


class PageRenderer(Protocol):
    """A renderer; raises RenderFailed for a picture that cannot be made."""

    def render(self, page: Page) -> bytes: ...


class Picture(NamedTuple):
    """One picture of a chunk."""

    position: int  # of its item
    layout: str
    width: int  # pixels
    height: int
    variables: str  # JSON


@dataclass(frozen=True, slots=True)
class Chunk:
    """Pictures that share a template, a format and a worker."""

    renderer: Callable[[], PageRenderer]  # picklable; called once per worker
    html: str
    definitions: tuple[Mapping[str, Any], ...]
    strict: bool
    format: str
    quality: float | None
    folder: str  # of the rendered files
    journal: str  # path of the journal, new for each chunk
    seconds: float  # limit for one picture
    budget: float  # seconds after which no further picture of the chunk is begun
    pictures: tuple[Picture, ...]
    sensitive: tuple[str, ...] = ()  # names of variables whose values stand in no message


def fill(chunk: Chunk, given: Mapping[str, Any]) -> dict[str, Any]:
    """Put defaults in, and check what the template requires (RenderFailed). A null stands for a missing value."""
    values = dict(given)
    for rule in chunk.definitions:
        name, checks = rule["name"], rule["validation"]
        if values.get(name) is None and rule["defaultValue"] is not None:
            values[name] = rule["defaultValue"]
        value = values.get(name)
        if checks["required"] and value in (None, ""):
            raise RenderFailed(Cause.VARIABLE, f"{name} is required")
        if isinstance(value, str):
            if checks["maxLength"] is not None and len(value) > checks["maxLength"]:
                raise RenderFailed(Cause.VARIABLE, f"{name} has {len(value)} characters, at most {checks['maxLength']}")
            if value and checks["minLength"] is not None and len(value) < checks["minLength"]:
                raise RenderFailed(
                    Cause.VARIABLE, f"{name} has {len(value)} characters, at least {checks['minLength']}"
                )
        if chunk.strict and name not in values:
            raise RenderFailed(Cause.UNDEFINED, f"{name} has no value")
    return values


@functools.lru_cache(maxsize=4)
def _renderer(pickled: bytes) -> PageRenderer:
    """Make a renderer once: every chunk brings its own copy of the call, and copies of a partial are not equal."""
    make: Callable[[], PageRenderer] = pickle.loads(pickled)  # noqa: S301 - our own bytes
    return make()


@contextlib.contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """End this process by SIGALRM when the block takes longer: it needs no cooperation of what runs in it."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def render_chunk(chunk: Chunk) -> None:
    """Render the pictures in order, each into its file and a line of the journal, as far as the budget allows."""
    begun = time.perf_counter()
    renderer = _renderer(pickle.dumps(chunk.renderer))
    journal = os.open(chunk.journal, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        for picture in chunk.pictures:
            started = time.perf_counter()
            with _deadline(chunk.seconds):
                line = _render(renderer, chunk, picture)
            took = round(time.perf_counter() - started, 6)
            os.write(journal, json.dumps([picture.position, picture.layout, took, line]).encode() + b"\n")
            if time.perf_counter() - begun > chunk.budget:
                return
    finally:
        os.close(journal)


def _render(renderer: PageRenderer, chunk: Chunk, picture: Picture) -> Mapping[str, object]:
    """Return the outcome of one picture: of a file, or `cause` and `message`."""
    values: dict[str, Any] = json.loads(picture.variables)
    try:
        values = fill(chunk, values)
        size = (picture.width, picture.height)
        raw_html = tuple(rule["name"] for rule in chunk.definitions if rule.get("allowRawHtml"))
        data = renderer.render(Page(chunk.html, values, *size, chunk.format, chunk.quality, raw_html))
    except RenderFailed as error:
        return {"cause": error.cause, "message": _message(chunk, values, error.message)}
    except Exception as error:  # a fault of the renderer ends one picture, not the batch
        if of_the_machine(error):
            raise
        return {"cause": Cause.ENGINE, "message": _message(chunk, values, f"{type(error).__name__}: {error}")}
    name = f"{hashlib.sha256(data).hexdigest()}.{EXTENSIONS[chunk.format]}"
    _write(Path(chunk.folder, name), data, Path(chunk.journal).with_suffix(".part"))
    return {"file": name, "size": len(data), "width": picture.width, "height": picture.height}


def _message(chunk: Chunk, values: Mapping[str, Any], text: str) -> str:
    """Return what may be said of a picture: no sensitive value ever leaves the worker in words."""
    hidden = Redactor(values[name] for name in chunk.sensitive if name in values)
    return hidden.clean(text[: 2 * LONGEST_TEXT])[:LONGEST_TEXT]


def _write(path: Path, data: bytes, part: Path) -> None:
    """Write durably by rename; a file of that name and size has those bytes already."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size == len(data):
            os.utime(path)  # young again, so that nobody removes it before it is recorded
            return
    descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        with memoryview(data) as rest:
            sent = 0
            while sent < len(data):
                sent += os.write(descriptor, rest[sent:])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.replace(path)


def read_journal(path: Path) -> Sequence[tuple[int, str, float, Mapping[str, Any]]]:
    """Return (position, layout, seconds, outcome) of each finished picture; a line torn by a kill is left out."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return [tuple(json.loads(line)) for line in lines]


def _live_and_die_with_parent() -> None:
    """Run in a new worker: end when the process that owns the pool ends, even by SIGKILL."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the journal makes it safe to end at any point
    if sys.platform == "linux":  # the parent is the fork server, which ends with ours
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def room_for_files(workers: int) -> str:
    """Make room for the descriptors that workers need; "" when there is, else what is missing."""
    try:
        import resource  # noqa: PLC0415 - not everywhere
    except ImportError:
        return ""
    needed = LEAST_FILES + FILES_PER_WORKER * workers
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return ""
    if hard == resource.RLIM_INFINITY or hard >= needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        return ""
    return f"{needed} open files are needed, and the system allows {hard}"


class RenderPool(Executor):
    """`submit` runs a call in a worker process; a worker that dies fails its own call only and is replaced."""

    def __init__(self, workers: int, preload: Sequence[str] = (), *, longest: float = 600.0) -> None:
        self.workers = workers
        self._longest = longest  # seconds that a call may take before its worker is killed
        self._preload = list(preload)
        self._lock = threading.Lock()
        self._pool: ProcessPool | None = None
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Schedule a call. Its future raises ProcessExpired when the worker died, TimeoutError when it was killed."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            try:
                if self._pool is None or not self._pool.active:
                    self._pool = self._start()
                return self._pool.schedule(fn, args=args, kwargs=kwargs, timeout=self._longest)
            except OSError as error:
                if error.filename is None and error.errno in _NO_SHARED_MEMORY:
                    raise OSError(error.errno, os.strerror(error.errno), SHARED_MEMORY) from error
                raise

    def _start(self) -> ProcessPool:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(self._preload)
        return ProcessPool(max_workers=self.workers, initializer=_live_and_die_with_parent, context=context)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Kill the workers; with `cancel_futures=False`, once they have done what was submitted."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        if pool is None:
            return
        if cancel_futures:
            pool.stop()  # type: ignore[no-untyped-call]
        else:
            pool.close()  # type: ignore[no-untyped-call]
        if wait or cancel_futures:
            pool.join()
