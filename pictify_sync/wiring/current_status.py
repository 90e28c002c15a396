"""What live checks found out about the services of a project: light, for `status`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from pictify_sync.core.dialect import Standing, standing
from pictify_sync.core.model import Capabilities
from pictify_sync.errors import PictifySyncError
from pictify_sync.wiring.project import Project


def capabilities_of(project: Project, providers: Iterable[str]) -> Mapping[str, Capabilities]:
    """Return what each of these providers allows, as far as that can be told."""
    found: dict[str, Capabilities] = {}
    for name in providers:
        with suppress(PictifySyncError):
            found[name] = project.capabilities(name)
    return found


def known_dialects(project: Project) -> tuple[Standing, ...]:
    """What live checks found out, and whether it counts where the project is now. Raises UsageError."""
    probes = project.state().probes()
    services = {one.provider: project.service(one.provider) for one in probes}
    return standing(probes, services, project.clock.now())
