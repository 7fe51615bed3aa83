"""The renewal probability learnt from past renewals: what it learns from, how it is fitted and how it is judged.

Only the fit needs scikit-learn (the extra `learn`). Whether a learnt probability is used is decided in
`cx_intel.models.renewals.pipeline`; the past scores and outcomes come from the back-test.
"""
