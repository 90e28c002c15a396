"""What GitHub gives a run and takes from it: the event, files of a step, the `gh` and `git` commands.

All that comes from an event, a comment or an uploaded artifact may have been written by a stranger. This package must
not know manifests, state or plans: it carries files and numbers.
"""
