"""Pictify: the client of its API, and everything that only concerns Pictify."""
