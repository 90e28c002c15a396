"""A page taken apart: html and css read for places, pictures and fonts resolved."""
