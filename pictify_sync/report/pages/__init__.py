"""Pages of HTML with pictures: plans, runs and previews."""
