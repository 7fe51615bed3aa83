"""Named expressions that models share: months, money, shares, conditions."""
