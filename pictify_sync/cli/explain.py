"""`explain`: why an asset would be rendered, or not."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING

import click

from pictify_sync.cli.options import check_manifests, json_option, near, pass_settings, paths_argument, project_of

if TYPE_CHECKING:
    from pictify_sync.core.model import Change


@click.command("explain")
@click.argument("key")
@paths_argument
@json_option
@pass_settings
def explain_command(settings: str | None, key: str, paths: tuple[str, ...], as_json: bool) -> int:
    """Explain why an asset would be rendered, or not: recorded and desired side by side.

    KEY is 'manifest/item@layout'; PATH is where its manifest lies [the manifests folder of the settings]. Exits with 1
    when there is no such asset. Opens no connection.
    """
    from pictify_sync.cli.console import print_output
    from pictify_sync.report.json.report import explanation_document
    from pictify_sync.report.terminal.explain import explain_lines
    from pictify_sync.wiring import Choice

    with project_of(settings, paths) as project:
        check_manifests(project, paths)
        plan, manifests = project.plan(paths, Choice())  # a selection would hide where a renamed key came from
        with closing(manifests):
            change, recall = _found(plan.changes, key), project.state().variables
            if as_json:
                click.echo(explanation_document(change, recall))
            else:
                print_output(explain_lines(change, recall))
    return 0


def _found(changes: Iterable[Change], key: str) -> Change:
    """The change of a key; of its new key when it is renamed. Raises UsageError that names keys like it."""
    from pictify_sync.core.model import Reason
    from pictify_sync.errors import UsageError

    known = []
    for change in changes:
        renamed = change.reason is Reason.RENAMED and change.source is not None and change.source.key == key
        if change.key == key or renamed:
            return change
        known.append(change.key)
    raise UsageError(f"there is no asset named {key}", hint=near(key, known))
