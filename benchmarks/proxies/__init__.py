"""The proxies under test, one file each: how it is started, and which processes it is."""
