"""From triangles to pixels: the compiled part."""
