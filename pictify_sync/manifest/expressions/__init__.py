"""The expressions of a manifest: an allow-list of Jinja2, its filters, compiled into one call per row."""
