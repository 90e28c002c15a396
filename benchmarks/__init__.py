"""Speed and memory, side by side with something known, as ratios of one run: machines are noisy."""
