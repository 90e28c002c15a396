"""The pages hold what they promise: their commands run, their links lead somewhere, their options exist."""
