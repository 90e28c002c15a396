"""Row data: its sources, and the expanded assets on their way to be sorted."""
