"""Manifests: the YAML language, its row data and expressions, expanded into desired assets.

Reading order: `schema` (what a file may say), `loading`, `templates`, `prepare`, `expand`, `desired` (all together).
This package must not know the state, providers or commands.
"""
