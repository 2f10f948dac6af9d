"""Hair and beards."""
