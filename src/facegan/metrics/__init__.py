"""The paper's measures: functions with a value for each pair, and torchmetrics classes for their mean."""

from facegan.metrics.csim import CSIM, csim
from facegan.metrics.ed import ED, Reading, ed
from facegan.metrics.lsim import LSIM, lsim
from facegan.metrics.pairs import PairMean
from facegan.metrics.psim import PSIM, psim

__all__ = ["CSIM", "ED", "LSIM", "PSIM", "PairMean", "Reading", "csim", "ed", "lsim", "psim"]
