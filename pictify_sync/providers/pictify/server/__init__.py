"""A Pictify-compatible server. It knows no css; a renderer is handed to it."""
