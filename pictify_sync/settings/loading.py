"""Settings: `pictify-sync.yaml` and the environment over it. What manifests may not decide is decided here.

`PICTIFY_SYNC_<FIELD>` overlays a field, `__` goes down a level (`PICTIFY_SYNC_GUARD__MAX_RENDERS=100`). Secrets come
from the environment only. A provider's part is checked by that provider's model, which comes as an argument. This
module must not know what the settings are used for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, create_model

from pictify_sync.errors import InputError, Problem, Severity
from pictify_sync.scalars import read_scalar
from pictify_sync.settings.moved import (
    PREFIX,
    ProviderPart,
    former_names,
    renamed_variables,
    with_new_names,
)
from pictify_sync.validation import validate
from pictify_sync.yaml_reader import Document, MovedDocument, place_of_byte, read_document

Parts = Callable[[Iterable[str]], Mapping[str, ProviderPart]]  # names mentioned -> those there are, with the built-in

DEBUG = "PICTIFY_SYNC_DEBUG"  # shows stack traces of the command line: no setting
FILE = "pictify-sync.yaml"
MAX_BYTES = 1 << 20  # of the settings file

_BUCKET = re.compile(r"(s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]{1,221}((/(?!\.{1,2}(/|$))[A-Za-z0-9._~+=@-]{1,255})*/?)")


def _artifacts(place: str) -> str:
    """Check where pictures are kept: a word, or the URL of a bucket without anything secret in it."""
    if place not in ("files", "none") and not (_BUCKET.fullmatch(place) and len(place) < 600):
        raise ValueError("is 'files', 'none', or s3://, gs:// or az:// with a bucket and a prefix, and nothing else")
    return place


Count = Annotated[int, Field(ge=1)]


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
    provider: str = Field("local", min_length=1, description="Provider of the manifests that name none.")
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
    guard: Guard = Field(Guard(), description="When a plan needs approval.")
    max_assets: Count = Field(1_000_000, description="Assets that the manifests may ask for.")
    providers: Any = Field({}, description="Settings of providers and limits of your accounts, by provider.")


class Settings(Fields):
    """All settings, bound to their project folder."""

    project: Path = Field(description="Folder of the settings file, else the working directory.")
    file: Path | None = Field(None, description="The settings file; None: there is none.")
    providers: dict[str, Any] = Field({}, description="What is said of providers, checked by the models of each.")
    warnings: tuple[Problem, ...] = Field((), description="Names of settings that were moved.")
    environ: Mapping[str, str] = Field({}, repr=False, description="Where the providers' keys and URLs are.")
    webhook_secrets: tuple[SecretStr, ...] = Field((), description="PICTIFY_WEBHOOK_SECRET, several between commas.")
    state_key: SecretStr | None = Field(
        None, description="PICTIFY_STATE_KEY: hides sensitive values in a state on a Git ref; at least 32 characters."
    )
    inbox_token: SecretStr | None = Field(None, description="PICTIFY_INBOX_TOKEN: who may use a receiver's inbox.")

    def path(self, name: str) -> Path:
        """Resolve a path of the settings: it is relative to the project folder."""
        return self.project / name

    def secret(self, variable: str) -> SecretStr | None:
        """A secret of the environment; None where there is none."""
        return _secret(self.environ, variable)


def fields_model(parts: Mapping[str, ProviderPart]) -> type[Fields]:
    """The fields of a settings file with those of these providers."""
    models: dict[str, Any] = {name: (part.settings(), Field(None)) for name, part in parts.items()}
    below = create_model("Providers", __base__=_Strict, __doc__="By name.", **models)
    described = Fields.model_fields["providers"].description
    return create_model(
        "Fields", __base__=Fields, __doc__=Fields.__doc__, providers=(below, Field(below(), description=described))
    )


def load_settings(
    file: Path | None,
    environ: Mapping[str, str],
    parts: Parts,
    *,
    cwd: Path | None = None,
    project: Path | None = None,
) -> Settings:
    """Read a settings file and the environment; without a file, `pictify-sync.yaml` of the project folder if any.

    `project`: that folder [the working directory]. Raises InputError with every problem of both.
    """
    cwd = cwd or Path.cwd()
    place = (project or cwd) / FILE
    path = file or (place if os.path.lexists(place) else None)
    text, shown = ("", "") if path is None else (_read(path), _shown(path, cwd))
    told: list[Problem] = []
    document = read_document(text, shown, told)
    top = {} if document.value is None else document.value
    if not isinstance(top, dict):
        raise InputError([Problem(shown, 1, 1, "the settings must be a mapping", "start with 'version: 1'")])
    known = parts(_mentioned(top, environ))
    model, former = fields_model(known), former_names(known)
    value, stands = with_new_names(Document(shown, text, top), former, told)
    found = validate(model, MovedDocument(shown, text, value, stands=stands))
    if isinstance(found, list) or any(one.severity is Severity.ERROR for one in told):
        raise InputError(sorted([*told, *(found if isinstance(found, list) else ())]))
    overlaid = _overlay(value, renamed_variables(environ, former, told), model, told)
    fields = validate(model, Document("the environment", "", overlaid))
    if isinstance(fields, list) or any(one.severity is Severity.ERROR for one in told):
        found = [replace(problem, line=0, column=0) for problem in (fields if isinstance(fields, list) else [])]
        raise InputError([*told, *found])
    secrets = environ.get("PICTIFY_WEBHOOK_SECRET", "")
    given = {name: one for name in known if (one := getattr(fields.providers, name)) is not None}
    return Settings(
        **{**dict(fields), "providers": given},
        project=(path.parent if path else project or cwd).resolve(),
        file=path,
        warnings=tuple(told),
        environ=dict(environ),
        webhook_secrets=tuple(map(SecretStr, filter(None, map(str.strip, secrets.split(","))))),
        state_key=_secret(environ, "PICTIFY_STATE_KEY"),
        inbox_token=_secret(environ, "PICTIFY_INBOX_TOKEN"),
    )


def _mentioned(top: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Names of providers that the file or the environment says something of."""
    below, start = top.get("providers"), f"{PREFIX}PROVIDERS__"
    named = {variable.removeprefix(start).lower().partition("__")[0] for variable in environ if start in variable}
    return sorted({*(map(str, below) if isinstance(below, dict) else ()), *named})


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


def _overlay(
    top: dict[str, Any], environ: Mapping[str, str], model: type[Fields], told: list[Problem]
) -> dict[str, Any]:
    """Put PICTIFY_SYNC_ variables over the file's fields."""
    made = deepcopy(top)
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable == DEBUG:
            continue
        level = made
        *path, name = variable.removeprefix(PREFIX).lower().split("__")
        for part in path:
            below = level.get(part)
            level[part] = level = below if isinstance(below, dict) else {}
        try:
            level[name] = _value(_type_at(model, [*path, name]), environ[variable])
        except ValueError:
            told.append(Problem("the environment", 0, 0, f"{variable} is a number with too many digits"))
    return made


def _value(known: object, text: str) -> object:
    """Read a variable as YAML reads a plain scalar, a list as its items between commas, a text as it is."""
    if get_origin(known) is list:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text if known is str else read_scalar(text)


def _type_at(model: type[Fields], path: Sequence[str]) -> object:
    """Give the type of the field that a path of names leads to, None when there is none."""
    found: object = model
    for name in path:
        field = getattr(found, "model_fields", {}).get(name)
        found = None if field is None else field.annotation
    return found
