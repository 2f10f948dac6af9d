"""The paper's experiments: protocols, measures of any method's pictures, report."""

from facegan.evaluation.evaluate import evaluate
from facegan.evaluation.export import export_pairs
from facegan.evaluation.observer import Eyes, Observer
from facegan.evaluation.picture_measures import PictureMeasures
from facegan.evaluation.report import Report

__all__ = ["Eyes", "Observer", "PictureMeasures", "Report", "evaluate", "export_pairs"]
