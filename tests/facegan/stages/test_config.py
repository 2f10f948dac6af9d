"""Impossible values of the configuration groups that several stages share."""

import pytest

from facegan.errors import InputError
from facegan.stages.config import AdversarialConfig, OptimizerConfig

IMPOSSIBLE = [
    *((OptimizerConfig, name, -1) for name in ("learning_rate", "muon_lr", "lr_decay_start_epoch")),
    *((OptimizerConfig, name, -1) for name in ("ema_halflife",)),
    (OptimizerConfig, "learning_rate", float("nan")),
    (OptimizerConfig, "betas", [0.5, 1]),
    (OptimizerConfig, "max_consecutive_nan_steps", 0),
    (AdversarialConfig, "weight", -1),
    (AdversarialConfig, "feature_matching", -1),
]


@pytest.mark.parametrize(("config", "name", "value"), IMPOSSIBLE)
def test_config_impossible_value_is_one_line_that_names_it(config, name, value):
    group = "optimizer" if config is OptimizerConfig else "adversarial"
    with pytest.raises(InputError, match=rf"^{group}\.{name} is .*: (it|both) must be [^\n]*$"):
        config(**{name: value})


def test_config_defaults_are_papers():
    assert (OptimizerConfig().learning_rate, OptimizerConfig().betas) == (2e-4, (0.5, 0.999))
    assert (AdversarialConfig().form, AdversarialConfig().feature_matching) == ("log", 0)
