"""A preparation that is quick."""

from facegan.preparation import Settings, prepare_videos


def prepare_small(source, out, *, workers=1, overwrite=False, **settings):
    """Of small pictures, in this process."""
    settings = Settings(**({"size": 64, "min_face": 30} | settings))
    return prepare_videos(source, out, settings, workers=workers, overwrite=overwrite, progress=False)
