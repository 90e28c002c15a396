"""The state as sorted JSON lines, written and read."""
