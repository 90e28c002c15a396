"""Webhook deliveries: received, kept, and read again."""
