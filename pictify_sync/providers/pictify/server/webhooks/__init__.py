"""Webhooks of the server: subscriptions, events, and their delivery."""
