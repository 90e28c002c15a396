"""What draws: one folder an engine, and the pool of processes that they run in."""
