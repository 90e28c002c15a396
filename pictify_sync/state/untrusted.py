"""What is read from a file that anybody may have written: JSON within limits, keys and paths checked again.

Snapshots and saved plans travel through repositories and pull requests, so nothing in them is believed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NoReturn

from pictify_sync.core.fingerprint import canonical, digest, spec_digest
from pictify_sync.core.model import Artifact, Fingerprint, Record, RenderSpec, is_key
from pictify_sync.errors import InputError, Problem

_PART = r'(?!\.{1,2}(?:/|\Z))[^\x00-\x1f\x7f-\x9f<>:"|?*\\/\ud800-\udfff]{1,255}'
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_FORMAT = re.compile(r"[a-z0-9]{1,16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_DEPTH_HINT = "nested too deeply"


def parse(text: str | bytes) -> Any:
    """Read JSON: no NaN, no infinity, no name twice. Raises ValueError that says what is wrong."""
    try:
        return json.loads(text, object_pairs_hook=_distinct, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError(MAX_DEPTH_HINT) from None


def key_fault(key: str) -> str | None:
    """What is wrong with an asset key, None when nothing is."""
    return None if is_key(key) else f"{_short(key)} is not an asset key"


def path_fault(path: str) -> str | None:
    """What is wrong with an output path, None when it stays below the root."""
    return (
        None if len(path) <= 4096 and _PATH.fullmatch(path) else f"{_short(path)} is not a path below the output folder"
    )


def record_faults(record: Record) -> Iterator[str]:
    """What is wrong with a record that came from a file."""
    published = record.artifact is not None and record.artifact.path == record.output
    yield from filter(
        None, (key_fault(record.key), path_fault(record.output) if record.output and not published else None)
    )
    if (record.fingerprint is None) != (record.spec is None):
        yield "the fingerprint needs its spec, and the spec its fingerprint"
    if record.fingerprint is not None and record.spec is not None:
        yield from spec_faults(record.fingerprint, record.spec)
    if record.artifact is not None:
        yield from artifact_faults(record.artifact)
    if not 0 <= record.attempts < 1 << 31:
        yield "the number of attempts is not valid"


def spec_faults(fingerprint: Fingerprint, spec: RenderSpec) -> Iterator[str]:
    """A fingerprint must be the digest of what stands beside it."""
    yield from _spec_faults(fingerprint.spec, spec)


@lru_cache(1024)  # there is one spec per manifest and layout
def _spec_faults(found: str, spec: RenderSpec) -> tuple[str, ...]:
    faults = list(_options_faults(spec.options))
    if not _FORMAT.fullmatch(spec.format):
        faults.append("the format is no name")
    if not faults and spec_digest(spec) != found:
        faults.append("the fingerprint is not that of the spec")
    return tuple(faults)


def _options_faults(text: str) -> Iterator[str]:
    try:
        options = parse(text)
    except ValueError as error:
        yield f"the options are not JSON: {error}"
        return
    if not isinstance(options, dict) or canonical(options) != text:
        yield "the options are not a mapping in canonical form"
    elif isinstance(quality := options.get("quality"), int | float) and not 0 < quality <= 1:
        yield "the quality is not above 0 and up to 1"


def variables_faults(fingerprint: Fingerprint, variables: str) -> Iterator[str]:
    """The same for the variables."""
    if digest(variables) != fingerprint.variables:
        yield "the fingerprint is not that of the variables"


def artifact_faults(artifact: Artifact) -> Iterator[str]:
    """What is wrong with an artifact that came from a file."""
    yield from filter(None, (path_fault(artifact.path),))
    if not _SHA256.fullmatch(artifact.sha256) or not 0 <= artifact.size < 2**62:
        yield "the artifact's checksum or size is not valid"


class Faults:
    """Problems of one file, collected until there are too many to read."""

    LIMIT = 100

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[Problem] = []

    def add(self, line: int, messages: Iterable[str], hint: str = "") -> None:
        """Note what is wrong in a line; raises InputError at once when it is too much."""
        self._found.extend(Problem(self.file, line, 0, message, hint) for message in messages)
        if len(self._found) >= self.LIMIT:
            self.raise_any()

    def stop(self, line: int, message: str, hint: str = "") -> NoReturn:
        """Nothing more can be read: raise with everything found so far."""
        raise InputError([*self._found, Problem(self.file, line, 0, message, hint)])

    def raise_any(self) -> None:
        """Raise InputError when anything was found."""
        if self._found:
            raise InputError(self._found)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice in an object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")
