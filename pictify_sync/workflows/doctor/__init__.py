"""The use case `doctor`: checks of an account, its webhooks, the state and the stored files."""
