"""Performance without labels, beside NannyML on the data that NannyML ships."""
