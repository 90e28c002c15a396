"""Words and pages about plans, runs and records: text, JSON, progress, Markdown and HTML, made of core values alone.

Reading order: `words` (one vocabulary), `safe` (untrusted text), `lines` (a styled line), `text` (a plan),
`summary` (a run), `json_report`; then `review` and `outcome` (what a page shows), `markdown`, `html` and `embedding`.
This package must not know where the values come from. It opens nothing but the pictures that it compares or puts into a
page, and writes nothing but that page.
"""
