"""What all tests share: hypothesis without deadlines, because machines that test are often busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("busy", deadline=None)
settings.load_profile("busy")
