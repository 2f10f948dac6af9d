"""The paper's experiments: evaluation pairs, metrics of any method's images, report."""

from facegan.evaluation.evaluation_report import EvaluationReport
from facegan.evaluation.experiments import EvaluationConfig, evaluate
from facegan.evaluation.export_pairs import export_pairs
from facegan.evaluation.face_measurements import FaceMeasurements, FaceMeasurer, MetricBackends
from facegan.evaluation.pair_metrics import METRICS, compute_pair_metrics

__all__ = [
    "METRICS",
    "EvaluationConfig",
    "EvaluationReport",
    "FaceMeasurements",
    "FaceMeasurer",
    "MetricBackends",
    "compute_pair_metrics",
    "evaluate",
    "export_pairs",
]
