"""The synthetic world of `novacrm`: a CRM vendor."""
