"""The GitHub action: its steps, its workflows, and what it says to the runner."""
