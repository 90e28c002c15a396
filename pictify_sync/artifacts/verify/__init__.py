"""What downloaded bytes must be before they are published."""
