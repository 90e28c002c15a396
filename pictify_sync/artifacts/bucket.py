"""Objects below one prefix of a bucket, through obstore: the only module that knows it.

A picture's sha256 is kept in the object's own metadata (named `sha256`), so that a look tells what lies there. An ETag
is never taken for a checksum: what it is made of differs between services, uploads and keys. Whatever a service
answers that is neither a success nor a plain "no such object" is a StorageUnavailable, whose words are ours: theirs
may hold signatures, keys and tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from pictify_sync.artifacts.paths import parts
from pictify_sync.errors import ArtifactError, StorageUnavailable

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig

THREADS = 16  # requests at once, where there are many
PART = 8 << 20  # bytes; what is larger is uploaded in such parts
PAGE = 1000  # objects of one page of a list (S3, ListObjectsV2: at most 1,000)
MAX_KEY = 1024  # bytes (S3: 1,024 bytes; Cloud Storage: 1,024 bytes; Azure: 1,024 characters)
MAX_READ = 64 << 20  # bytes of one picture that are read at once
RETRY: RetryConfig = {"max_retries": 6, "retry_timeout": timedelta(seconds=60)}

_SHA256 = re.compile("[0-9a-f]{64}")
_STORES = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
_KEYS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What one look at an object told."""

    size: int  # bytes
    sha256: str | None  # as written down when it was stored; None: by somebody else
    version: str | None  # changes whenever the object is replaced by other bytes; no checksum


def connect(url: str, retry: RetryConfig = RETRY) -> Bucket:
    """A bucket by its URL, `s3://bucket/prefix`. Credentials and endpoints are those of the environment."""
    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    with _told(url):
        return Bucket(_STORES[scheme](bucket, prefix=prefix.strip("/") or None, retry_config=retry), url)


class Bucket:
    """Objects below one prefix, by their path below it. Safe with threads."""

    def __init__(self, store: ObjectStore, url: str) -> None:
        self.url = url  # for messages
        self._store = store
        self._room = MAX_KEY - len(url.partition("://")[2].partition("/")[2].encode()) - 1

    def look(self, path: str) -> ObjectInfo | None:
        """What lies there; None when nothing does, in a bucket that is known to exist."""
        try:
            with _told(self.url):
                found = obstore.get(self._store, path, options={"head": True})
                kept = found.attributes.get("sha256", "")
                known = kept if _SHA256.fullmatch(kept) else None
                return ObjectInfo(found.meta["size"], known, found.meta["e_tag"])
        except FileNotFoundError:
            self.reach()  # a missing bucket answers in the same way
            return None

    def checksum(self, path: str, size: int | None = None, *, deep: bool = False) -> str | None:
        """The sha256 of an object; None when it is not there, "" when it has another size.

        Bytes are read where their checksum was not written down, and always when looking deep.
        """
        seen = self.look(path)
        if seen is None:
            return None
        if size not in (None, seen.size):
            return ""
        return self._read(path) if deep or seen.sha256 is None else seen.sha256

    def put(self, path: str, file: BinaryIO, sha256: str, media_type: str) -> None:
        """Store a file as one object: readers see the old one or all of the new one."""
        if len(path.encode()) > self._room:
            raise ArtifactError(f"the output path {path!r} is too long for {self.url}", hint="shorten `output`")
        attributes = {"Content-Type": media_type, "sha256": sha256}
        with self._found(), _told(self.url):
            obstore.put(self._store, path, file, attributes=attributes, chunk_size=PART, max_concurrency=2)

    def copy(self, old: str, new: str) -> bool:
        """Copy an object with its metadata, within the service; False when there is none."""
        try:
            with _told(self.url):
                obstore.copy(self._store, old, new)
        except FileNotFoundError:
            return False
        return True

    def delete(self, path: str) -> None:
        """Delete an object, if it is there."""
        try:
            with _told(self.url):
                obstore.delete(self._store, path)
        except FileNotFoundError:
            return

    def below(self, folder: str) -> Iterator[tuple[str, datetime]]:
        """Paths below a folder with the time they were stored, page by page."""
        with self._found(), _told(self.url):
            for page in obstore.list(self._store, folder, chunk_size=PAGE):
                for found in page:
                    yield found["path"], found["last_modified"]

    def reach(self) -> None:
        """Make sure that the bucket is there and lets us look. Raises StorageUnavailable."""
        with self._found(), _told(self.url):
            next(iter(obstore.list(self._store, "no-such-folder", chunk_size=1)), None)

    def read(self, path: str) -> bytes:
        """The bytes of an object, of which there are at most MAX_READ. Raises ArtifactError."""
        seen = self.look(path)
        if seen is None or seen.size > MAX_READ:
            raise ArtifactError("it is not there" if seen is None else f"it has more than {MAX_READ} bytes")
        try:
            with _told(self.url):
                return bytes(obstore.get(self._store, path).bytes())
        except FileNotFoundError:
            raise ArtifactError("it is not there") from None

    def _read(self, path: str) -> str | None:
        total = sha256()
        try:
            with _told(self.url):
                for chunk in obstore.get(self._store, path).stream(min_chunk_size=1 << 20):
                    total.update(chunk)
        except FileNotFoundError:
            return None
        return total.hexdigest()

    @contextmanager
    def _found(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise _missing(self.url) from None


def each(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do the same for every item, many at once; the first error ends it."""
    pool = ThreadPoolExecutor(THREADS)
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Put what a service or its client says into words of ours; FileNotFoundError comes through."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError, ValueError, NotImplementedError) as error:
        raise _explained(url, error) from None


def _missing(url: str) -> StorageUnavailable:
    return StorageUnavailable(f"{_shown(url)} does not exist", hint="make the bucket, or correct `artifacts`")


def _shown(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _explained(url: str, error: Exception) -> StorageUnavailable:
    text, shown, keys = str(error), _shown(url), _KEYS.get(url.partition("://")[0], "the credentials")
    status = int(found[1]) if (found := re.search(r"status code: (\d{3})\b", text)) else 0
    code = found[1] if (found := re.search(r"<Code>([A-Za-z]{1,64})</Code>", text)) else ""
    asked_machine = "169.254." in text or "metadata.google" in text
    if asked_machine or "must be specified" in text or "token request" in text:
        return StorageUnavailable(f"there are no credentials for {shown} in the environment", hint=f"set {keys}")
    if code in ("NoSuchBucket", "ContainerNotFound") or status == 404:
        return _missing(url)
    if "region" in text.partition("Debug source")[0]:
        return StorageUnavailable(f"{shown} is in another region", hint="set AWS_REGION to its region")
    if status in (401, 403):
        hint = f"check {keys}; they need the rights to list, read, write and delete"
        return StorageUnavailable(f"{shown} refuses access ({code or status})", hint=hint)
    why = f"it answers {status}" if status else "no connection"
    return StorageUnavailable(f"{shown} cannot be reached: {why}", hint="check the endpoint, or try again later")


def path_of(path: str) -> str:
    """Check a path below the prefix. Raises ArtifactError when it could leave it."""
    return "/".join(parts(path))
