"""Settings of the whole suite: no deadlines (nothing asserts a duration), and a failure prints how to replay it."""

from hypothesis import settings

settings.register_profile("tanchang", deadline=None, print_blob=True)
settings.load_profile("tanchang")
