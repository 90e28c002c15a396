"""What an engine would draw otherwise than a browser: never silent."""
