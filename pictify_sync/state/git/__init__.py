"""The state on a Git ref, with a local index."""
