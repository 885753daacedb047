#!/usr/bin/env bash
# Runs the libFuzzer targets: tests/fuzz/run.sh BUILD_DIR [SECONDS [TARGET...]]
#
# BUILD_DIR is where the fuzz_* binaries are; each target runs for SECONDS (30), all of targets.txt unless some are named. What it
# learns is kept in BUILD_DIR/corpus/TARGET and used by the next run, what it dies of in BUILD_DIR/findings. Ends with 1 when
# anything was found.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
tests="$(dirname "$here")"
build=${1:?usage: tests/fuzz/run.sh BUILD_DIR [SECONDS [TARGET...]]}
seconds=${2:-30}
shift; [ $# -gt 0 ] && shift
wanted=("$@")

is_wanted() {
  [ ${#wanted[@]} -eq 0 ] && return 0
  local name
  for name in "${wanted[@]}"; do [ "$name" = "$1" ] && return 0; done
  return 1
}

# libFuzzer reads folders only; files among the seeds are copied into one.
seed_folders() { # target, seeds...
  local target=$1 seed
  shift
  for seed in "$@"; do
    if [ -d "$tests/$seed" ]; then echo "$tests/$seed"; elif [ -f "$tests/$seed" ]; then cp "$tests/$seed" "$build/corpus/$target/"; fi
  done
}

mkdir -p "$build/findings"
for name in "${wanted[@]}"; do
  grep -q "^$name " "$here/targets.txt" || { echo "there is no fuzz target '$name' in $here/targets.txt" >&2; exit 2; }
done
found=()
while read -r target _ dictionary seeds; do
  case $target in '' | '#'*) continue ;; esac
  is_wanted "$target" || continue
  mkdir -p "$build/corpus/$target"
  # shellcheck disable=SC2086 # the seeds are a list
  mapfile -t folders < <(seed_folders "$target" $seeds)
  printf '== %s, %s s\n' "$target" "$seconds"
  if ! "$build/fuzz_$target" -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -verbosity=0 -close_fd_mask=1 -dict="$here/dictionaries/$dictionary.dict" -artifact_prefix="$build/findings/$target-" \
    "$build/corpus/$target" "${folders[@]}" </dev/null >"$build/findings/$target.log" 2>&1; then
    found+=("$target")
    grep -E "property|ERROR|SUMMARY|runtime error|^    #|Test unit" "$build/findings/$target.log" || tail -5 "$build/findings/$target.log"
  else
    grep -E 'number_of_executed_units|average_exec_per_sec|slowest_unit' "$build/findings/$target.log" | sed 's/^stat::/  /'
  fi
done <"$here/targets.txt"

if [ ${#found[@]} -gt 0 ]; then
  echo "found something: ${found[*]}; the inputs are in $build/findings" >&2
  exit 1
fi
