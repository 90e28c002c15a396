#!/usr/bin/env bash
# Installs pictify-sync from the action's own checkout into a folder of its own, once in a job.
# PYTHON: the interpreter; EXTRAS: names between commas. Prints nothing but what pip has to say.
set -euo pipefail
home="$RUNNER_TEMP/pictify-sync/venv"
if [[ ! "$EXTRAS" =~ ^[a-z]*(,[a-z]+)*$ ]]; then
  echo "::error title=pictify-sync::The input extras takes names between commas." >&2
  exit 1
fi
wanted="$GITHUB_ACTION_PATH [$EXTRAS]"
if [[ ! -x "$home/bin/pictify-sync" || "$(cat "$home/installed" 2> /dev/null || echo "$wanted")" != "$wanted" ]]; then
  "$PYTHON" -m venv --clear "$home"
  # Versions are those that this commit was tested with, so that an engine never changes between a plan and its apply.
  "$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --constraint "$GITHUB_ACTION_PATH/action/constraints.txt" "$GITHUB_ACTION_PATH${EXTRAS:+[$EXTRAS]}"
  echo "$wanted" > "$home/installed"
fi
echo "tool=$home/bin/pictify-sync" >> "$GITHUB_OUTPUT"
