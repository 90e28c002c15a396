"""The shapes of the `--json` documents, field by field with their meaning.

The reference page and the published JSON Schemas are made from these classes. Within a format version fields are only
added. This module must not know how a document is filled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Spec:
    """What shapes a picture apart from its variables."""

    provider: Annotated[str, "Who renders."]
    template: Annotated[str, "Declared template's name, else the provider's uid."]
    template_revision: Annotated[str, "Digest of what shapes this layout; `unknown` when nobody has looked yet."]
    layout: Annotated[str, "`default` for the base size."]
    format: Annotated[str, "Name of the format: `png`, `jpeg`, `webp`, ..."]
    quality: Annotated[Any, "The option `quality`; null when there is none."]
    engine: Annotated[str, "Identity of the embedded engine and its fonts; empty for a remote provider."]
    options: Annotated[Mapping[str, Any], "What else the provider was asked for, by name."]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Equal fingerprints mean equal pictures."""

    spec: Annotated[str, "Digest of the spec."]
    variables: Annotated[str, "Digest of the variables."]


@dataclass(frozen=True, slots=True)
class File:
    """A published file."""

    path: Annotated[str, "Below the output folder."]
    sha256: Annotated[str, "Of its bytes, in hex."]
    size: Annotated[int, "Bytes."]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a picture could not be made."""

    code: Annotated[str, "The provider's reason, or one of ours."]
    message: Annotated[str, "The provider's text."]


@dataclass(frozen=True, slots=True)
class Failing:
    """A picture whose newest attempt failed."""

    key: Annotated[str, "`<manifest>/<item>@<layout>`."]
    code: Annotated[str, "The provider's reason, or one of ours."]
    message: Annotated[str, "The provider's text."]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the input."""

    file: Annotated[str, "As it was given, relative to the working directory where possible."]
    line: Annotated[int, "From 1; 0 when the whole file is meant."]
    column: Annotated[int, "From 1; 0 when the whole line or file is meant."]
    severity: Annotated[str, "`error` or `warning`."]
    message: Annotated[str, "What is wrong."]
    hint: Annotated[str, "How to fix it; empty when the message says it."]


@dataclass(frozen=True, slots=True)
class Validation:
    """`validate --json`: all problems of all files."""

    assets: Annotated[int, "Pictures that the manifests ask for; 0 when there is an error."]
    problems: Annotated[list[Fault], "Sorted by place."]


@dataclass(frozen=True, slots=True)
class Applied:
    """`apply --json`: what was done, in pictures."""

    stored: Annotated[int, "Rendered, fetched, verified and published."]
    moved: Annotated[int, "Moved or copied without a render."]
    refetched: Annotated[int, "Lost files that the provider still kept: published again without a render."]
    removed: Annotated[int, "No longer recorded; their files are gone."]
    left_alone: Annotated[list[str], "Files no longer wanted that are still there: their bytes are not those recorded."]
    kept: Annotated[int, "As they were asked for already."]
    protected: Annotated[int, "Recorded as protected from now on, and nothing else."]
    unprotected: Annotated[int, "Recorded as no longer protected, and nothing else."]
    cleared: Annotated[int, "Recorded as stored again: what failed is no longer asked for."]
    unresolved: Annotated[int, "Rendered and billed, but the URL is not known yet."]
    waiting: Annotated[int, "Wanted, and in batches that are still open."]
    postponed: Annotated[int, "Wanted, and fewer than their provider takes in one batch: they wait for more."]
    left: Annotated[int, "Wanted, and not rendered since the run ended early."]
    taken: Annotated[int, "Batches that another run gave up while this one saw them through."]
    in_doubt: Annotated[int, "Batches of which nobody knows whether the provider took them."]
    billed_min: Annotated[int, "Certainly billed."]
    billed_max: Annotated[int, "Possibly billed."]
    unbilled: Annotated[int, "Rendered by a provider that bills nothing."]
    failed: Annotated[list[Failing], "All of them."]
    interrupted: Annotated[bool, "Whether the user stopped the run."]
    stopped: Annotated[str | None, "Why nothing more was submitted; null: all was."]


@dataclass(frozen=True, slots=True)
class Collected:
    """`collect --json`: what was found, in pictures."""

    stored: Annotated[int, "Found, fetched, verified and published."]
    unresolved: Annotated[int, "Still without a URL."]
    failed: Annotated[list[Failing], "Found, but not fetched."]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a live check found out about a service; null: not known."""

    provider: Annotated[str, "Who renders."]
    service: Annotated[str, "Its base URL, without user and query."]
    found_at: Annotated[str, "ISO 8601, UTC."]
    in_use: Annotated[bool, "Whether it is the service in use; the facts of another one do not count."]
    stale: Annotated[bool, "Whether it was found out so long ago that another live check is due."]
    results: Annotated[str, "`nested`, `names`, `flat`, `legacy`, `dashboard`; empty: no documented shape."]
    urls_in_results: Annotated[bool, "Whether results carry the URLs of the pictures."]
    names_layouts: Annotated[bool | None, "Whether results name the layout of each picture."]
    honours_idempotency_key: Annotated[bool | None, "Whether a batch sent twice is rendered once."]
    takes_unknown_variables: Annotated[bool | None, "Whether a variable that a template does not declare is taken."]
    look_up: Annotated[bool | None, "Whether past renders are listed."]
    look_up_tells_variables: Annotated[bool | None, "Whether that list tells what went into them."]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing that was looked at."""

    health: Annotated[str, "`ok`, `warning`, `error`, or `skipped` (not looked at)."]
    subject: Annotated[str, "What: `settings`, `account`, `templates`, `state`, ..."]
    place: Annotated[str, "Where: a file, folder, URL or provider."]
    message: Annotated[str, "What was found."]
    hint: Annotated[str, "What to do about it; empty when nothing is wrong."]


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """What `doctor --live` rendered to find out a dialect."""

    provider: Annotated[str, "Who rendered."]
    service: Annotated[str, "Its base URL, without user and query."]
    found: Annotated[bool, "Whether the dialect was found out."]
    billed_min: Annotated[int, "Pictures certainly billed."]
    billed_max: Annotated[int, "Pictures possibly billed, 4 at most."]
    notes: Annotated[list[str], "What stood in the way."]


@dataclass(frozen=True, slots=True)
class HealthReport:
    """`doctor --json`: everything that was looked at."""

    healthy: Annotated[bool, "Whether the command exits with 0."]
    checks: Annotated[list[HealthCheck], "In the order in which they were made."]
    dialects: Annotated[list[Dialect], "Known from live checks, by provider and service."]
    live: Annotated[LiveCheck | None, "Null: without `--live`, or when the account was in no state for it."]


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch that is neither settled nor given up."""

    attempt: Annotated[str, "What `resolve` and `cancel` take."]
    batch_id: Annotated[str | None, "The provider's; null: not known."]
    template: Annotated[str, "Declared template's name, else the provider's uid."]
    pictures: Annotated[int, "That it makes."]
    in_doubt: Annotated[bool, "Whether nobody knows if the provider took it."]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """`status --json`: counts of what is recorded."""

    lineage: Annotated[str, "Fixed when the state was created; empty: there is none."]
    serial: Annotated[int, "Number of the newest log entry."]
    records: Annotated[int, "Recorded pictures."]
    statuses: Annotated[Counts, "By status: `stored`, `rendered` (its URL is not known), `failed`."]
    drift: Annotated[
        Counts, "By kind, as the newest refresh saw it: `missing`, `tampered`, `expired`, `template_changed`."
    ]
    tainted: Annotated[int, "Rendered again by the next apply."]
    protected: Annotated[int, "Never deleted."]
    bytes: Annotated[int, "Of all published files."]
    attempts: Annotated[int, "Batches and single renders that were ever intended."]
    billed_min: Annotated[int, "Pictures certainly rendered by what has ended, and billed where the provider bills."]
    billed_max: Annotated[int, "Pictures possibly rendered by what has ended."]
    open_pictures: Annotated[int, "Pictures that may still be rendered for what is open."]
    obsolete: Annotated[list[str], "Files no longer wanted that are still to be removed, or were left alone."]
    manifests: Annotated[Mapping[str, Counts], "By manifest, then by status."]
    open_batches: Annotated[list[OpenBatch], "Oldest first."]
    dialects: Annotated[list[Dialect], "What `doctor --live` found out, by provider and service."]
    failed: Annotated[list[Failing], "With `--failed`: all of them; else empty."]
    place: Annotated[str, "Where the pictures are, when the settings name another place; else empty."]


@dataclass(frozen=True, slots=True)
class RecordReport:
    """`show --json`, and each line of `state list --json`: all that is recorded of one picture."""

    key: Annotated[str, "`<manifest>/<item>@<layout>`."]
    status: Annotated[str, "`stored`, `rendered` (its URL is not known) or `failed`."]
    fingerprint: Annotated[Fingerprint | None, "Of what is stored; null: nothing ever succeeded."]
    spec: Annotated[Spec | None, "Behind the fingerprint; null with it."]
    variables: Annotated[Any, "Behind the fingerprint; null: only their digest is kept."]
    artifact: Annotated[File | None, "Null: nothing is published."]
    output: Annotated[str, "Path that the manifest asked for at the newest attempt."]
    url: Annotated[str | None, "Where the provider keeps it; null: not known."]
    failure: Annotated[Reason | None, "Of the newest attempt; null: it succeeded."]
    attempt: Annotated[str | None, "That made or failed it; null after an import."]
    attempts: Annotated[int, "Times it was submitted."]
    rendered_at: Annotated[str | None, "ISO 8601, UTC; null: never."]
    tainted: Annotated[bool, "Rendered again by the next apply."]
    drift: Annotated[str | None, "What the newest refresh saw (kinds as in the drift document); null: as recorded."]
    protect: Annotated[bool, "Never deleted."]


@dataclass(frozen=True, slots=True)
class Drifted:
    """A picture that is not as recorded."""

    key: Annotated[str, "`<manifest>/<item>@<layout>`."]
    kind: Annotated[str, "`missing`, `tampered`, `expired` or `template_changed`."]
    detail: Annotated[str, "The path, or what was seen."]


@dataclass(frozen=True, slots=True)
class DriftedTemplate:
    """A template that the provider holds otherwise than recorded."""

    provider: Annotated[str, "Who holds it."]
    name: Annotated[str, "Declared name, else its uid."]
    uid: Annotated[str, "At the provider."]
    kind: Annotated[str, "`changed` or `missing`."]
    layouts: Annotated[list[str], "Whose pictures would change, sorted."]


@dataclass(frozen=True, slots=True)
class DriftReport:
    """`refresh --json`: what differs from what is recorded."""

    drift: Annotated[list[Drifted], "Sorted by key."]
    templates: Annotated[list[DriftedTemplate], "Sorted by provider and name."]
    elsewhere: Annotated[int, "Pictures that were never on this machine: not looked at."]
    looked: Annotated[int, "Published pictures that were looked at."]
    templates_looked: Annotated[int, "Templates that were looked at."]
    recorded: Annotated[bool, "Whether it was recorded, for the next apply to repair; false with `--check`."]


@dataclass(frozen=True, slots=True)
class Differing:
    """One part that differs, as text for people; sensitive values are hidden."""

    path: Annotated[str, "`spec.format`, `variables.title`, `variables.items[1].name`, ..."]
    old: Annotated[str, "As recorded."]
    new: Annotated[str, "As desired."]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`explain --json`: what a plan would do with one asset, and why."""

    key: Annotated[str, "`<manifest>/<item>@<layout>`."]
    action: Annotated[
        str, "`create`, `update`, `move`, `delete`, `repair`, `protect`, `unprotect`, `await`, `blocked` or `keep`."
    ]
    reason: Annotated[str, "See the planning rules."]
    renders: Annotated[bool, "Whether the provider would be asked for a picture."]
    source: Annotated[str | None, "Asset whose file is moved or copied instead; null: none."]
    recorded: Annotated[Fingerprint | None, "Null: nothing is recorded."]
    desired: Annotated[Fingerprint | None, "Null: no manifest asks for it."]
    differences: Annotated[list[Differing], "Sorted by path; empty where the recorded values are not kept."]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a preview."""

    file: Annotated[str, "Its name below the folder of `--pictures`; empty without that."]
    media_type: Annotated[str, "`image/png`, `image/jpeg` or `image/webp`."]
    width: Annotated[int, "Pixels."]
    height: Annotated[int, "Pixels."]


@dataclass(frozen=True, slots=True)
class PreviewedChange:
    """A planned change in pictures."""

    key: Annotated[str, "`<manifest>/<item>@<layout>`."]
    action: Annotated[str, "`create`, `update`, `move`, `delete` or `repair`."]
    reason: Annotated[str, "See the planning rules."]
    in_sample: Annotated[bool, "False: more changes than `--max-previews`, and this one is only listed."]
    before: Annotated[Picture | None, "What is stored; null: nothing, or the note says why not."]
    after: Annotated[Picture | None, "What would be; null: nothing new, or the note says why not."]
    changed: Annotated[float | None, "Share of the pixels that look different, 0 to 1; null: not compared."]
    difference: Annotated[Picture | None, "Those pixels in red; null: none, not compared, or of another size."]
    note: Annotated[str, "Why a picture is not there, or what to know of it; for people."]


@dataclass(frozen=True, slots=True)
class Previews:
    """`preview --json`: the planned changes in pictures. Nothing was rendered at a provider."""

    digest: Annotated[str, "Of the plan."]
    changes: Annotated[list[PreviewedChange], "All that have a picture, sorted by key."]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One webhook subscription; its secret is never told again."""

    uid: Annotated[str, "What `webhooks unsubscribe` takes."]
    event: Annotated[str, "One subscription is one event."]
    status: Annotated[str, "`active`, `paused`, `failed`; empty when not told."]
    target_url: Annotated[str, "Where deliveries go."]
    template_uid: Annotated[str, "Only of this template; empty: of any."]
    failures: Annotated[int, "Deliveries that failed, by the provider's count."]


@dataclass(frozen=True, slots=True)
class SubscriptionList:
    """`webhooks list --json`: the subscriptions of an account."""

    subscriptions: Annotated[list[Subscription], "As the provider lists them."]


DOCUMENTS: dict[str, type] = {
    "validation": Validation,
    "apply": Applied,
    "status": StatusReport,
    "record": RecordReport,
    "drift": DriftReport,
    "explanation": Explanation,
    "previews": Previews,
    "health": HealthReport,
    "collect": Collected,
    "subscriptions": SubscriptionList,
}
