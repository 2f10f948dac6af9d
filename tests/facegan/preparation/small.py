"""A quick preparation."""

from facegan.preparation import PrepareConfig, prepare_videos


def prepare_small(source, out, *, workers=1, overwrite=False, **options):
    """Prepare small crops in this process."""
    config = PrepareConfig(**({"size": 64, "min_face": 30} | options))
    return prepare_videos(source, out, config, workers=workers, overwrite=overwrite, progress=False)
