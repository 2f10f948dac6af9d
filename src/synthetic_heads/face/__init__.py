"""The head: its surface, how it moves, what is behind its openings, its skin."""
