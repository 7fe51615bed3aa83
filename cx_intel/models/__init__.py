"""The tables as pure functions of Ibis tables; nothing here knows an engine, a clock or Dagster."""
