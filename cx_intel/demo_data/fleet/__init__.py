"""The synthetic world of `fleet`: fleet-management SaaS."""
