"""One thin module per command: parse, wire, call one workflow, report, exit code.

`root` finds commands by name and turns errors into exit codes: 0 done or no changes, 1 error, 2 changes pending or
drift (with --detailed-exitcode or --check). stdout is data, stderr is for people. Modules import click at the top and
everything else where it is used, so that `--help` and `--version` stay fast.
"""
