"""The paper's experiments on a model: protocols, measures, report."""

from facegan.evaluation.evaluate import evaluate
from facegan.evaluation.report import Report

__all__ = ["Report", "evaluate"]
