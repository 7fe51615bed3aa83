"""Examines a deployment: what `cx-intel doctor` looks at and says. It changes nothing.

`examination.py` puts the examinations together: `machine.py`, `stores.py`, `portfolios.py`, `engines.py` and
`dagster_home.py`, each giving `findings.Finding`.
"""
