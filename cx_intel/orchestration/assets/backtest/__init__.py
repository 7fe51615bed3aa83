"""Past days once more: the snapshots of a day from what was known then, and the back-test made of them."""
