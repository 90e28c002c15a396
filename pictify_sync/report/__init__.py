"""Words about plans, runs and records: text, JSON and progress, made of core values alone.

Reading order: `words` (one vocabulary), `safe` (untrusted text), `lines` (a styled line), `text` (a plan),
`summary` (a run), `json_report`.
This package must not know where the values come from, nor open anything.
"""
