"""Everything of GitHub Actions: the steps of the action, comments and issues, annotations, the runner's log, approvals.

Reading order: `inputs` and `event` (what a step is given), `steps` (what it does), `runner` and `runner_log` (what it
tells the runner), `comments`, `approvals`, `branch`, `proposal` and, under all, `commands` (`git` and `gh`).
All that comes from an event, a comment or an uploaded artifact may have been written by a stranger. This package must
not know manifests or the state; what needs them is put together in `cli.github`.
"""
