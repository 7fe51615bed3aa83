#!/usr/bin/env bash
# Builds the wheel into dist/ and proves that it works alone: installed into a clean environment with nothing but the
# packages of requirements.lock, away from the checkout, it refreshes a shipped portfolio. Usage: tools/wheel.sh BIN
set -euo pipefail
bin=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
away=$(mktemp -d)
trap 'rm -rf "$away"' EXIT

rm -rf "$root/dist"
"$bin/uv" build --quiet --wheel --no-build-isolation --python "$bin/python" --out-dir "$root/dist" "$root"
wheel=$(ls "$root"/dist/*.whl)
"$bin/python" -m venv "$away/venv"
"$bin/uv" pip install --quiet --python "$away/venv/bin/python" --require-hashes -r "$root/requirements.lock"
"$bin/uv" pip install --quiet --python "$away/venv/bin/python" --no-deps "$wheel"

cd "$away"
env -u PYTHONPATH CX_HOME="$away/home" "$away/venv/bin/cx-intel" --version
env -u PYTHONPATH CX_HOME="$away/home" "$away/venv/bin/cx-intel" refresh novacrm
env -u PYTHONPATH CX_HOME="$away/home" "$away/venv/bin/cx-intel" show cs_intervention_list_latest --portfolio novacrm >/dev/null
echo "$(basename "$wheel") works outside the checkout"
