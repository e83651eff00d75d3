"""Performance without labels: what the model's own answers lead one to expect of it.

Both estimators hold only while the relation between inputs and labels stays as it was in the
reference: they see a change of what comes in, and are blind to concept drift.
"""
