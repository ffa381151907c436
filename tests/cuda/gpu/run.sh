#!/usr/bin/env bash
# What `cargo xtask gpu` runs on a machine with a GPU: correctness first, the sanitizer, then the table. It needs neither
# cargo nor a network. Results go to the folder in $OUT, or to FOLDER/results.
#
#   bash run.sh FOLDER [--tiny]
set -uo pipefail
folder=$(cd "$1" && pwd)
tiny=${2:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tests=$(cd "$here/../.." && pwd)
out=${OUT:-$folder/results}
mkdir -p "$out"
: >"$out/tests.log"
export RECURRENT_TEST_DEVICE=${RECURRENT_TEST_DEVICE:-cuda} RECURRENT_CACHE=$folder/cache
failed=0

# NVRTC may be in the folder that was packed, in a toolkit, or in a Python package that PyTorch has brought.
wheels=$(python3 -c 'import glob, site
for base in site.getsitepackages() + [site.getusersitepackages()]:
    print(*glob.glob(base + "/nvidia/*/lib"), sep=":", end=":")' 2>/dev/null)
export LD_LIBRARY_PATH=$folder/nvrtc:${LD_LIBRARY_PATH:-}:$wheels/usr/local/cuda/lib64
if ! "$folder/bin/measure/measure" --tiny >/dev/null; then
  echo "nothing runs here: see above" >&2
  exit 1
fi

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
  (cd "$tests/$package" && timeout 60 "$program" --test-threads 4) >>"$log" 2>&1 || { failed=1; echo "FAILED: $program"; }
done
grep -hE "^test result|FAILED|panicked" "$out/tests.log" | tail -40

if command -v compute-sanitizer >/dev/null && [ -e "$folder/bin/cuda/models" ]; then
  for tool in memcheck racecheck synccheck; do
    for program in "models a_cell_needs_no_cuda" "training a_training_on_ids_is_that_of_the_cpu"; do
      (cd "$tests/cuda" && timeout 60 compute-sanitizer --tool "$tool" --error-exitcode 9 "$folder/bin/cuda/"$program) \
        >>"$out/$tool.log" 2>&1 || { failed=1; echo "FAILED: compute-sanitizer --tool $tool, $program"; }
    done
    [ "$(grep -c "1 passed" "$out/$tool.log")" = 2 ] || { failed=1; echo "FAILED: $tool ran nothing"; }
    grep -h "ERROR SUMMARY" "$out/$tool.log"
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
