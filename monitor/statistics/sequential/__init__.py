"""Detectors that read a stream value by value and say when its distribution has changed.

One detector a file, each with frozen settings; `detector` holds what all of them promise. They
answer the same as river's of the same name on the same stream (tests hold them to it). River itself
is not used: its drift module alone takes 170 MB of memory, which the monitor process cannot spend,
and these few functions need none of it.
"""
