"""`template ...`: templates of a provider as files."""

from __future__ import annotations

from pathlib import Path

import click

from pictify_sync.cli.options import pass_settings, project_of


@click.group("template")
def template_command() -> None:
    """Manage templates."""


@template_command.command("pull")
@click.argument("uid")
@click.option("--name", default="", help="Name to declare it under [made of its own].")
@click.option("--folder", default="manifests/templates", show_default=True, help="Where the files go.")
@click.option("--provider", default="", help="Provider of the template [provider of the settings].")
@pass_settings
def pull_command(settings: str | None, uid: str, name: str, folder: str, provider: str) -> None:
    """Write a provider's template to files to start from: its declaration and its html. Overwrites nothing."""
    from pictify_sync.core.pulled import pulled
    from pictify_sync.errors import UsageError

    with project_of(settings) as project:
        known = provider or project.settings.provider
        record = project.provider(known).observe_template(uid)
        if record is None:
            raise UsageError(f"the provider {known} has no template {uid}")
        made = pulled(record, name)
        files = {f"{made.name}.yaml": made.yaml, f"{made.name}.html": made.html}
        root = project.settings.path(folder)
        there = [one for one in files if (root / one).exists()]
        if there:
            raise UsageError(f"{Path(folder) / there[0]} exists already; nothing was written", hint="choose a --name")
        root.mkdir(parents=True, exist_ok=True)
        for one, text in files.items():
            (root / one).write_text(text, encoding="utf-8", newline="\n")
            click.echo(f"wrote {Path(folder) / one}", err=True)
