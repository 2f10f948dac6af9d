"""The paper's experiments: protocols, measures of any method's pictures, report."""

from facegan.evaluation.evaluate import evaluate
from facegan.evaluation.evaluation_report import Report
from facegan.evaluation.export_pairs import export_pairs
from facegan.evaluation.face_measurements import Eyes, Observer
from facegan.evaluation.image_metrics import PictureMeasures

__all__ = ["Eyes", "Observer", "PictureMeasures", "Report", "evaluate", "export_pairs"]
