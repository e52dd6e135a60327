"""For all tests."""

from hypothesis import settings

settings.register_profile("any machine", deadline=None)      # how long an example takes is the machine's matter, not the test's
settings.load_profile("any machine")
