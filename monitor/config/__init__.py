"""The frozen settings tree (`settings`) and how it is loaded, once (`load`)."""

from monitor.config.load import load, reveal
from monitor.config.settings import Address, Config

__all__ = ["Address", "Config", "load", "reveal"]
