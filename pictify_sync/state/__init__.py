"""What is recorded: the log with its derived tables (SQLite), snapshots of it, and saved plans."""
