"""Tells people what they should know: problems and their end, changes of tier, reports. Each once, and none is lost.

`incidents.py` and `lifecycle.py` decide what is news, `wording.py` says it, `outbox.py` remembers it across restarts,
`delivery.py` sends it through Apprise, `run_reports.py` reads Dagster's event log. The sensors are in `sensors.py`.
"""
