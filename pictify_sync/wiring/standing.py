"""What live checks found out about the services of a project: light, for `status`."""

from __future__ import annotations

from pictify_sync.core.dialect import Standing, standing
from pictify_sync.errors import PictifySyncError
from pictify_sync.wiring.project import Project


def is_billed(project: Project, provider: str) -> bool:
    """Whether a provider's renders cost something; True where that cannot be told."""
    try:
        return project.capabilities(provider).billed
    except PictifySyncError:
        return True


def standings(project: Project) -> tuple[Standing, ...]:
    """What live checks found out, and whether it counts where the project is now. Raises UsageError."""
    probes = project.state().probes()
    services = {one.provider: project.service(one.provider) for one in probes}
    return standing(probes, services, project.clock.now())
