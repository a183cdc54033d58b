"""Clinical errors per report: mean, and the share of reports with at most one, two, three, four or more.

UniRG's Fig. 2f shows CheXprompt's counts this way. `findings_errors` is a rule-based stand-in and no CheXprompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from training.evaluate.resampling import DRAWS, Numbers, interval, mean

BINS = ("1 or fewer", "2", "3", "4 or more")


def error_shares(errors: Numbers) -> dict[str, float]:
    """Share of judged reports in each of BINS; errors: float64 [n], NaN where not judged. {} where none is."""
    judged = errors[~np.isnan(errors)]
    if not judged.size:
        return {}
    sorted_in = np.clip(np.ceil(judged), 1, 4).astype(int)
    return {name: float((sorted_in == place).mean()) for place, name in enumerate(BINS, start=1)}


def error_section(
    errors: Numbers, categories: Mapping[str, Numbers], patients: Sequence[str], *, seed: int, draws: int = DRAWS
) -> dict[str, object]:
    """For results.json: mean with interval, shares, and mean of each category."""
    judged = int((~np.isnan(errors)).sum())
    return {
        "n": judged,
        "mean": interval(mean(errors), patients, seed=seed, draws=draws).as_json(),
        "shares": error_shares(errors),
        "categories": {name: float(np.nanmean(values)) for name, values in categories.items()} if judged else {},
    }
