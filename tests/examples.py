"""The number of examples that a property is tried with, by the profile that `--hypothesis-profile` names: `make quick` tries a
few, `make proof` many."""

from hypothesis import settings

USUAL = 100
TIMES = {"quick": 0.1, "usual": 1.0, "proof": 20.0}


def register_profiles() -> None:
    """No example is too slow: how long one takes says how busy the machine is."""
    for name, times in TIMES.items():
        settings.register_profile(name, deadline=None, max_examples=round(USUAL * times))
    settings.load_profile("usual")


def examples(usual: int) -> int:
    """For `max_examples` of a property that is tried with another number than USUAL."""
    return max(5, round(usual * TIMES[settings.get_current_profile_name()]))
