"""For all tests: no example of a property is too slow. How long one takes says how busy the machine is."""

from hypothesis import settings

settings.register_profile("centralka", deadline=None)
settings.load_profile("centralka")
