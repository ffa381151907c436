#!/usr/bin/env bash
# What `cargo xtask gpu` runs on a machine with a GPU: correctness first, the sanitizer, then the table. It needs neither
# cargo nor a network. Results go to the folder in $OUT, or beside this file's package.
#
#   bash run.sh FOLDER [--tiny]
set -uo pipefail
folder=$(cd "$1" && pwd)
tiny=${2:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tests=$(cd "$here/../.." && pwd)
out=${OUT:-$folder/results}
mkdir -p "$out"
export RECURRENT_TEST_DEVICE=${RECURRENT_TEST_DEVICE:-cuda} RECURRENT_CACHE=$folder/cache
failed=0

name=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1)
name=${name:-no GPU}
{
  echo "# $name"
  echo
  nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,memory.total --format=csv 2>/dev/null
} >"$out/machine.txt"

# Each program runs in the folder of its package, where its files are.
for program in "$folder"/bin/*/*; do
  package=$(basename "$(dirname "$program")")
  [ "$package" = measure ] && continue
  log=$out/tests.log
  echo "== $package $(basename "$program")" | tee -a "$log"
  (cd "$tests/$package" && timeout 240 "$program" --test-threads 4) >>"$log" 2>&1 || { failed=1; echo "FAILED: $program"; }
done
grep -hE "^test result|FAILED|panicked" "$out/tests.log" | tail -40

if command -v compute-sanitizer >/dev/null && [ -e "$folder/bin/cuda/models" ]; then
  for tool in memcheck racecheck synccheck; do
    (cd "$tests/cuda" && timeout 120 compute-sanitizer --tool "$tool" --error-exitcode 9 "$folder/bin/cuda/models" a_cell_needs_no_cuda) \
      >"$out/$tool.log" 2>&1 || { failed=1; echo "FAILED: compute-sanitizer --tool $tool"; }
    tail -2 "$out/$tool.log"
  done
fi

"$folder/bin/measure/measure" $tiny >"$out/ours.csv" || failed=1
if python3 -c "import torch; assert torch.cuda.is_available()" 2>/dev/null; then
  python3 "$here/torch_rnn.py" $tiny >"$out/torch.csv" || failed=1
fi
{
  echo "# $name"
  echo
  python3 "$here/table.py" "$out/ours.csv" "$out/torch.csv"
} >"$out/results.md"
head -20 "$out/results.md"
exit $failed
