"""What live checks found out about the services of a project: light, for `status`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from pictify_sync.core.dialect import Standing, standing
from pictify_sync.core.entries import OpenBatch
from pictify_sync.errors import PictifySyncError
from pictify_sync.wiring.project import Project


def is_billed(project: Project, provider: str) -> bool:
    """Whether a provider's renders cost something; True where that cannot be told."""
    try:
        return project.capabilities(provider).billed
    except PictifySyncError:
        return True


def longest_of(project: Project, opened: Iterable[OpenBatch]) -> Mapping[str, float]:
    """Return the seconds that a batch may take in all, by provider of an open one, where a provider says so."""
    found: dict[str, float] = {}
    for name in {batch.intended.batch.group.provider for batch in opened}:
        with suppress(PictifySyncError):  # one that is not here any more
            seconds = project.capabilities(name).turnaround_seconds
            found.update({} if seconds is None else {name: seconds})
    return found


def standings(project: Project) -> tuple[Standing, ...]:
    """What live checks found out, and whether it counts where the project is now. Raises UsageError."""
    probes = project.state().probes()
    services = {one.provider: project.service(one.provider) for one in probes}
    return standing(probes, services, project.clock.now())
