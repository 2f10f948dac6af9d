"""The paper's experiments: evaluation pairs, metrics of any method's images, report."""

from facegan.evaluation.evaluation_report import EvaluationReport
from facegan.evaluation.experiments import EvaluationConfig, evaluate
from facegan.evaluation.export_pairs import export_pairs

__all__ = [
    "EvaluationConfig",
    "EvaluationReport",
    "evaluate",
    "export_pairs",
]
