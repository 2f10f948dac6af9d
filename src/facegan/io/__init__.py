"""Files: images, video with sound, atomic and resumable outputs."""
