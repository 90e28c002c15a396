"""The composition root: the only place that names concrete adapters.

`finding` tells which project a command runs in, `project` binds settings to
adapters, `run` is one apply, `upkeep` looks after state and files, `services` are programs
that run until stopped.
"""

from pictify_sync.wiring.finding import Place, find_place
from pictify_sync.wiring.project import Project, open_project
from pictify_sync.wiring.run import ApplyRun
from pictify_sync.workflows.apply.approval import Consent
from pictify_sync.workflows.plan import Choice, matcher

__all__ = [
    "ApplyRun",
    "Choice",
    "Consent",
    "Place",
    "Project",
    "find_place",
    "matcher",
    "open_project",
]
