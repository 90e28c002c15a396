"""Html and values into the bytes of a picture. It knows no provider, no batches, no HTTP and no SQLite."""
