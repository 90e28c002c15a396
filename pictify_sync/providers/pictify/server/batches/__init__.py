"""Batches of the server: accepted, claimed, rendered, shown."""
