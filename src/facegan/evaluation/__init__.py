"""The paper's experiments: protocols, measures of any method's pictures, report."""

from facegan.evaluation.evaluate import evaluate
from facegan.evaluation.evaluation_report import Report
from facegan.evaluation.export_pairs import export_pairs
from facegan.evaluation.face_measurements import MetricBackends, Observer
from facegan.evaluation.image_metrics import ImageMetrics

__all__ = ["ImageMetrics", "MetricBackends", "Observer", "Report", "evaluate", "export_pairs"]
