"""`validate`: all problems of all manifests at once."""

from __future__ import annotations

from contextlib import closing

import click

from pictify_sync.cli.options import (
    check_manifests,
    github_option,
    json_option,
    pass_settings,
    paths_argument,
    project_of,
    reporting,
)


@click.command("validate")
@paths_argument
@json_option
@github_option
@pass_settings
def validate_command(settings: str | None, paths: tuple[str, ...], as_json: bool, github: bool) -> int:
    """Check manifests, templates and rows; report all problems at once.

    PATH is a manifest, a folder or a glob [the manifests folder of the settings]. Exits with 1 when there is an error;
    warnings alone exit with 0.
    """
    from pictify_sync.cli.console import print_output
    from pictify_sync.errors import InputError
    from pictify_sync.report.json.report import validation_document
    from pictify_sync.report.terminal.problems import problem_lines
    from pictify_sync.report.words import Line, Tone, count, pictures

    assets = manifests = 0
    with reporting(github=github) as reporter, project_of(settings, paths) as project:
        check_manifests(project, paths)
        try:
            with closing(project.read(paths, glyphs=True)) as found:
                problems, assets, manifests = tuple(found.problems), len(found), len(found.manifests)
            code = 0
        except InputError as error:
            problems, code = error.problems, 1
        reporter.annotate(problems)
    if as_json:
        click.echo(validation_document(problems, assets))
        return code
    print_output(problem_lines(problems))
    if code == 0:
        print_output([Line(f"Valid: {count(manifests, 'manifest')}, {pictures(assets)}.", Tone.GOOD)])
    return code
