"""What GitHub shows: comments, issues and job summaries."""
