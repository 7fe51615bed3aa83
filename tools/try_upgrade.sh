#!/usr/bin/env bash
# Upgrades a deployment from an earlier commit to the newest one, as the guide says it, and compares what it had published.
#
#     tools/try_upgrade.sh COMMIT FOLDER
#
# FOLDER, which must not be there yet, gets a clone that stands at COMMIT with an environment, a portfolio and a home of its
# own, which that version fills. The commands of "Upgrades" in docs/deploy.md follow, but for `systemctl`; then the next day
# is refreshed. Needs the package index, as `make install` does. What a test refreshes without it: test_upgrades_of_warehouses.py.
set -euo pipefail

[ $# = 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")/.." && pwd)
[ ! -e "$2" ] || { echo "$2 is there already: name another folder."; exit 2; }
mkdir -p "$2/portfolios" "$2/data"
folder=$(cd "$2" && pwd)
export CX_HOME=$folder/home CX_PORTFOLIOS=$folder/portfolios TRIED_DATA=$folder/data PATH=$folder/checkout/.venv/bin:$PATH
unset CX_UI_URL CX_REPORTS_URL CX_ALERT_URLS VIRTUAL_ENV MAKEFLAGS

cat > "$folder/portfolios/tried.yaml" <<'YAML'
name: tried
currency: {reporting: EUR}
as_of: {default: 2025-01-30, earliest: 2024-12-01}
backtest: {in_refresh: false}
sources:
  - {kind: files, table: accounts, path: "${TRIED_DATA}/accounts.csv"}
  - {kind: files, table: subscriptions, path: "${TRIED_DATA}/subscriptions.csv"}
  - {kind: files, table: usage_events, path: "${TRIED_DATA}/usage_events.csv"}
revenue: {basis: subscriptions}
health:
  version: tried-1
  signals:
    logins_30d: {label: Logins in 30 days, measure: {kind: event_count, events: [login], window_days: 30}}
  dimensions:
    usage: {weight: 1, signals: {logins_30d: {weight: 1, curve: {linear: {zero: 0, full: 20}}}}}
  tiers:
    levels: [{name: good, at_least: 50, is_healthy: true}, {name: poor, at_least: 0, is_healthy: false}]
YAML

echo "account_id,account_name,segment,country,owner,status,signup_date,currency" > "$folder/data/accounts.csv"
echo "subscription_id,account_id,product_name,amount,currency,start_date,end_date,status" > "$folder/data/subscriptions.csv"
echo "event_id,account_id,user_id,event_name,event_timestamp" > "$folder/data/usage_events.csv"
for n in 1 2 3 4 5 6 7 8; do
    echo "A0$n,Company $n,SMB,DE,Ann,active,2024-0$n-15,EUR" >> "$folder/data/accounts.csv"
    end=""; [ $n != 3 ] || end=2024-12-20
    echo "S0$n,A0$n,suite,$((100 * n)),EUR,2024-0$n-15,$end,active" >> "$folder/data/subscriptions.csv"
    for day in $(seq -w $n 3 31); do
        echo "E$day-$n,A0$n,U$n,login,2025-01-${day}T08:00:00" >> "$folder/data/usage_events.csv"
    done
done

say() { printf '\n== %s\n' "$*"; }
published() { # figures of the first day, in columns that old versions have too
    python - <<'PY'
import os

import duckdb

QUERIES = (
    "SELECT revenue_month, account_id, previous_mrr, mrr, revenue_movement FROM tried.fct_revenue WHERE revenue_month < '2025-01-01'",
    "SELECT account_id, health_score, health_tier FROM tried.customer_health_scores WHERE as_of = '2025-01-30'",
)
with duckdb.connect(os.environ["CX_HOME"] + "/warehouse.duckdb", read_only=True) as connection:
    for query in QUERIES:
        for row in connection.execute(f"{query} ORDER BY ALL").fetchall():
            print(*row, sep=",")
PY
}

say "A clone at $1, and what it makes"
git clone --quiet "$here" "$folder/origin" # a `git pull` follows a branch, so that nothing of the clone is the checkout here
git clone --quiet "$folder/origin" "$folder/checkout"
cd "$folder/checkout"
git reset --quiet --hard "$1"
make install
cx-intel refresh tried --as-of 2025-01-30
published > "$folder/before.csv"

say "The upgrade"
upgrade=$(git -C "$folder/origin" show HEAD:docs/deploy.md |
    sed -n '/^## Upgrades/,/^### \|^The contracts/p' | sed -n '/^```/,/^```/p' | grep -v '^```\|^systemctl')
echo "$upgrade"
bash -euo pipefail -c "$upgrade"
[ -z "$(git status --porcelain)" ] || { echo "The checkout differs from its commit:"; git status --short; exit 1; }
[ "$(git rev-parse HEAD)" = "$(git -C "$folder/origin" rev-parse HEAD)" ]

say "The next day"
published | diff "$folder/before.csv" - || { echo "What was published reads otherwise after the upgrade."; exit 1; }
cx-intel refresh tried --as-of 2025-01-31
published | diff "$folder/before.csv" - || { echo "The first day was made otherwise by the next one."; exit 1; }
cx-intel restore --list
cx-intel doctor || true # a machine without a daemon has findings
say "Upgraded from $1 to $(git rev-parse --short HEAD); everything lies in $folder"
