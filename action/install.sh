#!/usr/bin/env bash
# Installs pictify-sync from the action's own checkout into a folder of its own, once in a job.
# PYTHON: the interpreter; EXTRAS: names between commas. Prints nothing but what pip has to say.
set -euo pipefail
home="$RUNNER_TEMP/pictify-sync/venv"
if [[ ! "$EXTRAS" =~ ^[a-z]*(,[a-z]+)*$ ]]; then
  echo "The input extras takes names between commas." >&2
  exit 1
fi
if [[ ! -x "$home/bin/pictify-sync" ]]; then
  "$PYTHON" -m venv "$home"
  # Versions are those that this commit was tested with, so that an engine never changes between a plan and its apply.
  "$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --constraint "$GITHUB_ACTION_PATH/action/constraints.txt" "$GITHUB_ACTION_PATH${EXTRAS:+[$EXTRAS]}"
fi
echo "tool=$home/bin/pictify-sync" >> "$GITHUB_OUTPUT"
