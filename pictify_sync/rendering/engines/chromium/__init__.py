"""An installed Chrome or Chromium as an engine."""
