"""The `--json` documents and their schemas."""
