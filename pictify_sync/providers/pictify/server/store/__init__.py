"""What the server keeps: its database, templates, renders, and how long."""
