"""Sentences that stand beside figures: what must be known of MRR and NRR, and of renewals."""
