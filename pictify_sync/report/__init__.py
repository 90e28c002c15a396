"""Words and pages about plans, runs and records: text, JSON, progress, Markdown and HTML, made of core values alone.

Reading order: `words` (one vocabulary), `safe` (untrusted text), `view` (what is shown of a plan, and how much of it),
`outcome` (the same of a run, of drift and of records); then `terminal`, `markdown`, `json` and `pages`, which say how
it looks.
This package must not know where the values come from. It opens nothing but the pictures that it compares or puts into a
page, and writes nothing but that page.
"""
