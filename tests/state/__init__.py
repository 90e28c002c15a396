"""The state: its store, snapshots and saved plans."""
