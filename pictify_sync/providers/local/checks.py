"""What `doctor` looks at where a server is embedded: fonts, and whether a worker can draw."""

from __future__ import annotations

from collections.abc import Iterator

from pictify_sync.core.health import Check, Health
from pictify_sync.providers.local.settings import LocalSettings
from pictify_sync.rendering import selfcheck


def checks(settings: LocalSettings) -> Iterator[Check]:
    """Have a worker draw a picture that is kept nowhere."""
    name = selfcheck.version(settings.engine)
    if missing := selfcheck.missing_families(settings.fonts):
        hint = "install them as packages: python -m pip install 'pictify-sync[fonts]'"
        yield Check("engine", settings.engine, Health.WARNING, f"fonts that are missing: {', '.join(missing)}", hint)
    wrong = selfcheck.try_worker(settings.engine, settings.fonts, settings.render_timeout)
    if wrong:
        is_browser = settings.engine == "chromium"
        hint = "see docs/how-to/use-another-engine.md" if is_browser else "install pictify-sync again"
        yield Check("engine", settings.engine, Health.ERROR, f"no picture can be drawn: {wrong}", hint)
    else:
        yield Check("engine", settings.engine, Health.OK, f"a worker drew a picture ({name})")
