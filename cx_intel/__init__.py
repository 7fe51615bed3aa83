"""Customer-success intelligence for B2B SaaS: health, churn risk, net revenue retention and renewals in one Dagster graph."""
