#!/usr/bin/env bash
# with_progress.sh WHAT COMMAND...: says what is being done, and every four seconds for how long it has been.
set -euo pipefail
what=$1
shift
echo "$what"
(while sleep 4 >/dev/null 2>&1; do echo "  $SECONDS s  $what"; done) &
beat=$!
trap 'kill $beat 2>/dev/null' EXIT
"$@"
