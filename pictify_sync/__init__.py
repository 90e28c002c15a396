"""Declarative sync of manifests of image assets with Pictify's Batch API.

Reading order: `core.model` (the words), `core.diff` (what should change), `core.batching` (the fewest batches),
`core.entries` (what is durable, and when), `workflows.apply.run` and `workflows.apply.driver` (how it is done),
`wiring` (who plays which part), then whichever adapter you came for: `manifest`, `state`, `artifacts`, `providers`,
`webhooks`, `report`, `github`, `cli`. `rendering` makes images of html and knows nothing of the rest.
"""

__version__ = "0.1.0"
