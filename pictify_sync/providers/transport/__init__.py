"""HTTP for every provider: requests, rate, downloads, bodies. No word of a vendor."""
