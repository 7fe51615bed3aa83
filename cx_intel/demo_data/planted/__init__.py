"""The synthetic world of `planted`: a company whose truth is known, for the back-test to find."""
