"""The group of commands, loaded one by one when called, and what their errors mean for the exit code."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from pictify_sync import __version__
from pictify_sync.errors import Interrupted, PictifySyncError

DEBUG = "PICTIFY_SYNC_DEBUG"  # of the environment: anything but empty shows stack traces, which may hold values
ESCAPED = "pictify-sync-escapes"  # name of how streams write what their encoding does not have

# command -> (module in this package, what it does in a few words)
COMMANDS = {
    "init": ("init", "Write a first manifest, template and settings file."),
    "validate": ("validate", "Check manifests; report all problems at once."),
    "schema": ("schema", "Print the JSON Schema of manifests, settings or documents."),
    "plan": ("plan", "Show what an apply would change."),
    "apply": ("apply", "Render, fetch and publish what the manifests ask for."),
    "preview": ("preview", "Show what an apply would change, in pictures."),
    "refresh": ("refresh", "Compare published files with the state, and record what differs."),
    "status": ("status", "Count recorded, open and failed assets."),
    "show": ("show", "Show everything that is recorded about an asset."),
    "explain": ("explain", "Explain why an asset would be rendered, or not."),
    "history": ("history", "List the runs that changed the state."),
    "log": ("history", "Print the log of the state."),
    "taint": ("taint", "Mark assets to be rendered again by the next apply."),
    "untaint": ("taint", "Remove the taint from matching assets."),
    "cancel": ("cancel", "Cancel open batches at their provider."),
    "resolve": ("resolve", "Resolve a batch whose submission could not be confirmed."),
    "collect": ("collect", "Publish pictures whose URL was not known at first."),
    "template": ("template", "Write a provider's template to files."),
    "webhooks": ("webhooks", "Receive webhooks and manage subscriptions."),
    "doctor": ("doctor", "Check everything that an apply depends on."),
    "serve": ("serve", "Run the embedded render server on its own."),
    "gc": ("gc", "Delete the embedded server's copies of finished batches."),
    "github": ("github", "Run the steps of the GitHub action."),
    "state": ("state", "List, export, import and edit the state."),
}


class LazyGroup(click.Group):
    """Commands that are imported when they are called; help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"pictify_sync.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from pictify_sync.nearest import closest

            near = closest(args[0], COMMANDS)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"No such command '{click.unstyle(args[0])}'.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pictify-sync", message="%(prog)s %(version)s")
@click.option("--settings", type=click.Path(dir_okay=False), help="Settings file [pictify-sync.yaml].")
@click.pass_context
def group(context: click.Context, settings: str | None) -> None:
    """Declarative sync of image assets: manifests say what should exist, plan shows, apply makes it so."""
    context.obj = settings


def run(arguments: Sequence[str]) -> int:
    """Run a command line; gives the exit code. Never raises for what a user, a provider or the machine did."""
    from pictify_sync.cli.streams import guarded

    _streams()
    with guarded(os.environ):
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        code = group.main(args=list(arguments), prog_name="pictify-sync", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 1
    except (click.Abort, KeyboardInterrupt, Interrupted):
        click.echo("\nInterrupted. What was recorded is kept; run the command again to go on.", err=True)
        return 1
    except PictifySyncError as error:
        return _report(error)
    except UnicodeEncodeError as error:
        if not _is_half(error):
            return _report(unexpected(error))
        return _report(PictifySyncError(f"{error.object} is not valid text", hint="name it in UTF-8"))
    except BrokenPipeError:
        _silence()  # whoever read our output has gone
        return 1
    except OSError as error:
        _silence()  # what could not be written now cannot be written at exit
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return _report(PictifySyncError(f"{where}{(error.strerror or str(error)).lower()}"))
    except Exception as error:  # a fault of ours, or a machine at its limits: never a stack trace with values in it
        if os.environ.get(DEBUG):
            raise
        _silence()
        return _report(unexpected(error))


def unexpected(error: BaseException) -> PictifySyncError:
    """Return the kind of an unexpected error and its place in our code. Its words may hold values, and are left out."""
    if isinstance(error, MemoryError):
        return PictifySyncError(
            "there is not enough memory", hint="set fewer workers in the settings, or raise ulimit -v"
        )
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        hint = "raise the limit of processes and threads: ulimit -u, or that of the container"
        return PictifySyncError("the system starts no more threads for this process", hint=hint)
    places = [one for one in traceback.extract_tb(error.__traceback__) if "pictify_sync" in one.filename]
    place = f" at {places[-1].filename.rpartition('pictify_sync')[2][1:]}:{places[-1].lineno}" if places else ""
    hint = f"this is a bug, please report it; with {DEBUG}=1 the command shows where it came from"
    return PictifySyncError(f"pictify-sync failed unexpectedly: {type(error).__name__}{place}", hint=hint)


def _is_half(error: UnicodeEncodeError) -> bool:
    """Whether a word of the command line was no UTF-8: Python then holds halves of characters in its place."""
    return all("\ud800" <= char <= "\udfff" for char in error.object[error.start : error.end])


def _streams() -> None:
    """Write to nowhere where the caller closed stdout or stderr; escape what their encoding does not have."""
    codecs.register_error(ESCAPED, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPED)
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open until the process ends
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as above


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Return what an encoding does not have as JSON writes it, so that a document stays one."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _silence() -> None:
    """Let what is still buffered for stdout go nowhere, so that nothing fails again at exit."""
    from pictify_sync.cli.streams import silence

    silence(sys.stdout)


def _report(error: PictifySyncError) -> int:
    from pictify_sync.cli.console import print_message
    from pictify_sync.providers.registry import parts
    from pictify_sync.report.terminal.problems import error_lines

    parts(())  # so that their keys are taken out of the text
    print_message(error_lines(error))
    return error.exit_code
