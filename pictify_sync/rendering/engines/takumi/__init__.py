"""The embedded engine, and how css and html are adapted to it."""
