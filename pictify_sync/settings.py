"""Settings: `pictify-sync.yaml` and the environment over it. What manifests may not decide is decided here.

`PICTIFY_SYNC_<FIELD>` overlays a field, `__` goes down a level (`PICTIFY_SYNC_GUARD__MAX_RENDERS=100`). Secrets come
from the environment only. This module must not know what the settings are used for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from pictify_sync.errors import InputError, Problem
from pictify_sync.scalars import read_scalar
from pictify_sync.validation import validate
from pictify_sync.yaml_reader import Document, place_of_byte, read_document

FILE = "pictify-sync.yaml"
PREFIX = "PICTIFY_SYNC_"
MAX_BYTES = 1 << 20  # of the settings file

_BUCKET = re.compile(r"(s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]{1,221}((/(?!\.{1,2}(/|$))[A-Za-z0-9._~+=@-]{1,255})*/?)")


def _artifacts(place: str) -> str:
    """Check where pictures are kept: a word, or the URL of a bucket without anything secret in it."""
    if place not in ("files", "none") and not (_BUCKET.fullmatch(place) and len(place) < 600):
        raise ValueError("is 'files', 'none', or s3://, gs:// or az:// with a bucket and a prefix, and nothing else")
    return place


Count = Annotated[int, Field(ge=1)]
UrlSource = Literal["results", "inbox", "lookup", "single"]


def _free_first(sources: list[UrlSource]) -> list[UrlSource]:
    if "single" in sources[:-1]:
        raise ValueError("'single' is billed, so it stands last")
    return sources


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Guard(_Strict):
    """Thresholds over which a plan needs to be approved."""

    max_delete_percent: float = Field(
        default=30,
        ge=0,
        le=100,
        description="Deletes allowed, in percent of what is recorded, in all and of each manifest.",
    )
    min_recorded: int = Field(default=10, ge=0, description="Below so many recorded assets, deletes are not counted.")
    max_renders: int | None = Field(default=None, ge=0, description="Renders allowed in one apply; null: any number.")


class InDoubt(_Strict):
    """What happens to a batch whose answer was lost, where the provider does not honour idempotency keys."""

    policy: Literal["resubmit", "hold"] = Field(
        default="resubmit",
        description="After the quarantine: render again and note the possible cost, or wait for resolve.",
    )
    quarantine_seconds: float = Field(
        default=900.0, ge=0, description="Time for late evidence, beyond the time-out of the request."
    )


class ProviderSettings(_Strict):
    """What an account at a provider allows; absent values are those of its plan, else the documented ones."""

    plan: Literal["free", "basic", "pro", "business", "enterprise"] | None = Field(
        None, description="The account's plan."
    )
    url_sources: Annotated[list[UrlSource], AfterValidator(_free_first)] = Field(
        ["results", "inbox", "lookup"],
        description="Where the URLs of pictures are looked for, in this order. `single`, which may stand last, makes "
        "`collect` render what none of the others has once more by the synchronous route, and that is billed again.",
    )
    max_items: Count | None = Field(None, description="Items in one batch.")
    max_open: Count | None = Field(None, description="Batches open at once.")
    max_bytes: Count | None = Field(None, description="Bytes of one request.")
    requests_per_minute: Count | None = Field(None, description="Requests in a minute.")
    many_layouts: bool | None = Field(None, description="Whether a batch may render several layouts.")
    urls_in_results: bool | None = Field(None, description="Whether results carry the URLs of the pictures.")
    honours_idempotency_key: bool | None = Field(None, description="Whether a batch sent twice is rendered once.")
    poll_seconds: float | None = Field(
        None,
        gt=0,
        description="Seconds between polls of one batch, at most: one that should be over is asked for sooner.",
    )
    post_seconds: float | None = Field(
        None, gt=0, description="Seconds that sending a batch may take: what is left of it by then never arrived."
    )
    stall_seconds: float | None = Field(
        None, gt=0, description="Seconds that a batch may show nothing new before it is cancelled."
    )
    item_seconds: float | None = Field(None, gt=0, description="Seconds that one item of a batch takes at most.")
    turnaround_seconds: float | None = Field(
        None,
        gt=0,
        description="Seconds that a batch takes in all before it is cancelled; null: `stall_seconds`, and "
        "`item_seconds` for each of its items.",
    )


class Fields(_Strict):
    """The fields of the settings file."""

    version: Literal[1] = Field(1, description="Version of the settings language.")
    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,99}$",
        description="Name of the project, by which a shared state knows it; null: its folder in the Git repository.",
    )
    manifests: str = Field("manifests", min_length=1, description="Folder of the manifests.")
    output: str = Field("output", min_length=1, description="Folder that the pictures are published in.")
    shared_output: bool = Field(
        False,
        description="Whether that folder holds all pictures on every machine (a shared drive, a checkout of them): "
        "what is not there is then missing for all, also where it never was before.",
    )
    artifacts: Annotated[str, AfterValidator(_artifacts)] = Field(
        "files",
        description="Where pictures are kept: `files` (the folder above), `none` (at the provider's URLs only), "
        "or a bucket as `s3://bucket/prefix`, `gs://...` or `az://container/...`.",
    )
    state: str = Field(
        ".pictify-sync/state.db",
        min_length=1,
        description="File of the state; or a Git ref as `git+ref:refs/pictify-sync/state`, `git+branch:NAME`, "
        "each with `?remote=` and a name, path or URL [origin].",
    )
    local: str = Field(".pictify-sync/local", min_length=1, description="Folder of the embedded provider.")
    provider: str = Field("local", min_length=1, description="Provider of the manifests that name none.")
    engine: Literal["takumi", "chromium"] = Field("takumi", description="Engine of the embedded provider.")
    fonts: list[str] = Field(
        ["Inter", "Noto Sans", "Heebo", "Noto Sans Arabic", "Noto Sans Devanagari", "Noto Sans SC", "Noto Sans KR"],
        description="Font families tried after those that a template names, in this order.",
    )
    allow_hosts: list[str] = Field(
        [],
        description="Hosts that pictures may come from: those of variables, and those that a provider rendered.",
    )
    local_pictures: Literal["inline", "refuse"] = Field(
        "inline", description="Local pictures for a remote provider: sent as `data:`, or refused."
    )
    keep_variables: Literal["full", "digest"] = Field("full", description="What the state keeps of variables.")
    in_doubt: InDoubt = Field(InDoubt(), description="What becomes of a batch whose answer was lost.")
    inbox: str = Field(
        ".pictify-sync/inbox",
        min_length=1,
        description="Webhook deliveries: a folder, or the URL of a receiver's inbox.",
    )
    signature_header: str = Field(
        "X-Pictify-Signature", pattern="^[A-Za-z0-9-]{1,64}$", description="Header that signs a webhook."
    )
    guard: Guard = Field(Guard(), description="When a plan needs approval.")
    max_assets: Count = Field(1_000_000, description="Assets that the manifests may ask for.")
    workers: Count | None = Field(None, description="Processes of the embedded engine; null: one per core.")
    render_timeout: float = Field(30.0, gt=0, description="Seconds for one picture of the embedded engine.")
    providers: dict[str, ProviderSettings] = Field({}, description="Limits of your accounts, by provider.")


class Settings(Fields):
    """All settings, bound to their project folder."""

    project: Path = Field(description="Folder of the settings file, else the working directory.")
    file: Path | None = Field(None, description="The settings file; None: there is none.")
    api_key: SecretStr | None = Field(None, description="PICTIFY_API_KEY.")
    webhook_secrets: tuple[SecretStr, ...] = Field((), description="PICTIFY_WEBHOOK_SECRET, several between commas.")
    state_key: SecretStr | None = Field(
        None, description="PICTIFY_STATE_KEY: hides sensitive values in a state on a Git ref; at least 32 characters."
    )
    inbox_token: SecretStr | None = Field(None, description="PICTIFY_INBOX_TOKEN: who may read a receiver's inbox.")
    base_url: str | None = Field(None, description="PICTIFY_BASE_URL; the only foreign host that is sent the key.")

    def path(self, name: str) -> Path:
        """Resolve a path of the settings: it is relative to the project folder."""
        return self.project / name

    def limits(self, provider: str) -> dict[str, object]:
        """Give what the settings say of a provider's capabilities: its plan, and fields over it."""
        found = self.providers.get(provider)
        return {} if found is None else found.model_dump(exclude={"url_sources"}, exclude_none=True)

    def url_sources(self, provider: str) -> tuple[str, ...]:
        """Give where the URLs of a provider's pictures are looked for, in order."""
        return tuple(self.providers.get(provider, ProviderSettings.model_validate({})).url_sources)


def load_settings(
    file: Path | None, environ: Mapping[str, str], *, cwd: Path | None = None, project: Path | None = None
) -> Settings:
    """Read a settings file and the environment; without a file, `pictify-sync.yaml` of the project folder if any.

    `project`: that folder [the working directory]. Raises InputError with every problem of both.
    """
    cwd = cwd or Path.cwd()
    place = (project or cwd) / FILE
    path = file or (place if os.path.lexists(place) else None)
    text, shown = ("", "") if path is None else (_read(path), _shown(path, cwd))
    twice: list[Problem] = []
    document = read_document(text, shown, twice)
    top = {} if document.value is None else document.value
    if not isinstance(top, dict):
        raise InputError([Problem(shown, 1, 1, "the settings must be a mapping", "start with 'version: 1'")])
    found = validate(Fields, Document(shown, text, top))
    if isinstance(found, list) or twice:
        raise InputError([*twice, *(found if isinstance(found, list) else ())])
    overlaid, wrong = _overlay(top, environ)
    fields = validate(Fields, Document("the environment", "", overlaid))
    if wrong or isinstance(fields, list):
        found = [replace(problem, line=0, column=0) for problem in (fields if isinstance(fields, list) else [])]
        raise InputError([*wrong, *found])
    secrets = environ.get("PICTIFY_WEBHOOK_SECRET", "")
    return Settings(
        **dict(fields),
        project=(path.parent if path else project or cwd).resolve(),
        file=path,
        api_key=_secret(environ, "PICTIFY_API_KEY"),
        webhook_secrets=tuple(map(SecretStr, filter(None, map(str.strip, secrets.split(","))))),
        state_key=_secret(environ, "PICTIFY_STATE_KEY"),
        inbox_token=_secret(environ, "PICTIFY_INBOX_TOKEN"),
        base_url=environ.get("PICTIFY_BASE_URL") or None,
    )


def _secret(environ: Mapping[str, str], name: str) -> SecretStr | None:
    found = environ.get(name, "").strip()
    return SecretStr(found) if found else None


def _read(path: Path) -> str:
    if path.is_symlink() and ".git" in map(str.lower, path.resolve().parts):
        raise InputError([Problem(str(path), 0, 0, "the settings file leads to where Git keeps its own files")])
    try:
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            raise InputError([Problem(str(path), 0, 0, "the settings file is larger than 1 MiB")])
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = place_of_byte(error.object, error.start)
        raise InputError([Problem(str(path), *place, f"not UTF-8: {error.reason}", "save the file as UTF-8")]) from None
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise InputError([Problem(str(path), 0, 0, f"the settings file cannot be read: {reason}")]) from None


def _shown(path: Path, cwd: Path) -> str:
    return path.relative_to(cwd).as_posix() if path.is_relative_to(cwd) else path.as_posix()


def _overlay(top: dict[str, Any], environ: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """Put PICTIFY_SYNC_ variables over the file's fields."""
    made = deepcopy(top)
    problems = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        level = made
        *path, name = variable.removeprefix(PREFIX).lower().split("__")
        for part in path:
            below = level.get(part)
            level[part] = level = below if isinstance(below, dict) else {}
        try:
            level[name] = _value(_type_at([*path, name]), environ[variable])
        except ValueError:
            problems.append(Problem("the environment", 0, 0, f"{variable} is a number with too many digits"))
    return made, problems


def _value(known: object, text: str) -> object:
    """Read a variable as YAML reads a plain scalar, a list as its items between commas, a text as it is."""
    if get_origin(known) is list:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text if known is str else read_scalar(text)


def _type_at(path: Sequence[str]) -> object:
    """Give the type of the field that a path of names leads to, None when there is none."""
    found: object = Fields
    for name in path:
        if get_origin(found) is dict:
            found = get_args(found)[1]
        else:
            field = getattr(found, "model_fields", {}).get(name)
            found = None if field is None else field.annotation
    return found
