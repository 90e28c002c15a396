"""Handlebars: text into a tree, the tree into a function, and the helpers that it may call."""
