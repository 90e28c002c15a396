"""See the docstrings of its modules."""
