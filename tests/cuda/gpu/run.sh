#!/usr/bin/env bash
# What `cargo xtask gpu` runs on a machine with a GPU: correctness first, the sanitizer, then the table. It needs neither
# cargo nor a network, and at most eight minutes: each part ends at a time after the start, and what is cut short is written
# down. A part that fails costs no other its results. They go to the folder in $OUT, or to FOLDER/results.
#
#   bash run.sh FOLDER|ARCHIVE [--tiny]
#
# FOLDER is target/gpu as `cargo xtask gpu` fills it; ARCHIVE is target/gpu.tar.xz, which is unpacked beside itself.
set -uo pipefail

# Seconds after the start when a part ends; what an earlier one has left over is the next one's.
TESTS_UNTIL=190
SANITIZER_UNTIL=270
ALL_UNTIL=455
# The stand-in takes longer, and nobody lends it for eight minutes.
TINY_UNTIL=1500

# One test program; `run.sh --one` below calls it. Its line of tests.csv: package, program, passed, failed, seconds, how it ended.
one() {
  local program=$1 until=$2 package name log start status passed failed
  package=$(basename "$(dirname "$program")") name=$(basename "$program") start=$(date +%s)
  log=$OUT/tests/$package-$name.log
  if [ "$start" -ge "$until" ]; then
    echo "$package,$name,0,0,0,not started" >>"$OUT/tests.csv"
    return
  fi
  # Each program runs in the folder of its package, where its files are.
  cd "$TESTS/$package" || return
  timeout -k 5 $((until - start)) "$program" --test-threads 2 >"$log" 2>&1
  status=$?
  passed=$(grep -c '^test .* ok$' "$log")
  failed=$(grep -c '^test .* FAILED$' "$log")
  case $status in
    0) status=ok ;;
    124 | 137) status="cut short" ;;
    *) status="exit code $status" ;;
  esac
  echo "$package,$name,$passed,$failed,$(($(date +%s) - start)),$status" >>"$OUT/tests.csv"
}

# Compiles the kernels of a model of the table, which then are on disk.
warm() {
  local model=$1 until=$2 left
  left=$((until - $(date +%s)))
  [ "$left" -gt 0 ] || return
  # Batches of more rows than there are multiprocessors run other kernels.
  for precision in fp32 tf32 bf16 fp16; do
    for rows in 1 256; do
      for what in inference training; do echo "$precision $model $rows 2 $what 1"; done
    done
  done |
    timeout "$left" "$FOLDER/bin/measure/measure" >>"$OUT/warm.log" 2>&1
}

# One tool of compute-sanitizer on one test. Its line of sanitizer.csv: tool, test, how it ended.
sanitize() {
  local tool=$1 program=$2 test=$3 until=$4 log status left
  log=$OUT/sanitizer/$tool-$program-$test.log
  left=$((until - $(date +%s)))
  status="not started"
  if [ "$left" -gt 0 ]; then
    (cd "$TESTS/cuda" && timeout -k 5 "$left" compute-sanitizer --tool "$tool" --error-exitcode 9 --print-limit 20 \
      "$FOLDER/bin/cuda/$program" --exact "$test") >"$log" 2>&1
    case $? in
      0) if grep -q "1 passed" "$log"; then status=ok; else status="ran nothing"; fi ;;
      9) status="found: $(grep "ERROR SUMMARY" "$log" | tail -1 | tr -d , | sed 's/^=* *//')" ;;
      124 | 137) status="cut short" ;;
      *) status="failed" ;;
    esac
  fi
  echo "$tool,$program $test,$status" >>"$OUT/sanitizer.csv"
}

if [ "${1:-}" = --one ]; then
  shift
  "$@"
  exit
fi

SECONDS=0
began=$(date +%s)
TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$TESTS/cuda/gpu
tiny=${2:-}
if [ -n "$tiny" ]; then
  TESTS_UNTIL=$TINY_UNTIL SANITIZER_UNTIL=$TINY_UNTIL ALL_UNTIL=$((TINY_UNTIL + 300))
fi
FOLDER=${1:?"run.sh FOLDER|ARCHIVE [--tiny]"}
if [ -f "$FOLDER" ]; then
  # Python knows xz where tar does not.
  archive=$FOLDER
  FOLDER=$(dirname "$archive")/gpu
  tar -C "$(dirname "$archive")" -xJf "$archive" 2>/dev/null ||
    python3 -m tarfile -e "$archive" "$(dirname "$archive")" || exit 1
fi
FOLDER=$(cd "$FOLDER" && pwd) || exit 1
OUT=${OUT:-$FOLDER/results}
export FOLDER TESTS OUT
# Results of an earlier run would be taken for this one's.
rm -rf "$OUT"/{tests,sanitizer} "$OUT"/*.{csv,log,txt,md,svg}
mkdir -p "$OUT"/{tests,sanitizer}
OUT=$(cd "$OUT" && pwd)
export RECURRENT_TEST_DEVICE=${RECURRENT_TEST_DEVICE:-cuda} RECURRENT_CACHE=${RECURRENT_CACHE:-$FOLDER/cache}
export RECURRENT_SKIPPED=$OUT/skipped.txt
: >"$RECURRENT_SKIPPED"
cores=$(nproc)
failed=0

# Something that a machine with a GPU should have is not here; on the stand-in it is not missed.
leave() {
  echo "$1" | tee -a "$OUT/left-out.txt"
  [ "$RECURRENT_TEST_DEVICE" = standin ] || failed=1
}
fail() {
  echo "FAILED: $1" | tee -a "$OUT/left-out.txt"
  failed=1
}

# The table is made whatever ends this script.
finish() {
  trap - EXIT INT TERM
  jobs -p | xargs -r kill 2>/dev/null
  if ! python3 "$here/table.py" "$OUT" "${name:-no GPU}" >"$OUT/table.log" 2>&1; then
    cat "$OUT/table.log"
    fail "table.py"
  fi
  echo "$SECONDS s; results are in $OUT; its .md and .svg belong into benches/results/gpu"
  exit $failed
}
trap finish EXIT
trap 'fail "ended from outside"; finish' INT TERM

# NVRTC is in a toolkit, or in a Python package that PyTorch has brought.
toolkit=$(dirname "$(dirname "$(readlink -f "$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)")")")
wheels=$(python3 -c 'import glob, importlib.util as u
for name in ["torch", "nvidia"]:
    spec = u.find_spec(name)
    for place in (spec.submodule_search_locations or []) if spec else []:
        base = place if name == "nvidia" else place + "/../nvidia"
        print(*glob.glob(base + "/*/lib"), sep=":", end=":")' 2>/dev/null)
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$toolkit/lib64:$toolkit/targets/x86_64-linux/lib:/usr/local/cuda/lib64:$wheels

name=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1)
if [ "$RECURRENT_TEST_DEVICE" = standin ]; then name="stand-in"; fi
{
  nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,clocks.mem,clocks.max.mem,memory.total,power.limit \
    --format=csv,noheader
  nvcc --version | tail -1
  python3 -c 'import torch; print("PyTorch", torch.__version__, "CUDA", torch.version.cuda, "cuDNN", torch.backends.cudnn.version())'
  echo "$cores cores"
} >"$OUT/machine.txt" 2>/dev/null

# What a first batch says tells whether anything runs here at all.
answer=$(echo "fp32 LSTM 8 2 3 training 1" | timeout $((ALL_UNTIL / 6)) "$FOLDER/bin/measure/measure" 2>"$OUT/first.log")
if ! [[ $answer =~ ^[0-9.]+$ ]]; then
  cat "$OUT/first.log"
  fail "nothing runs here: $answer"
  exit 1
fi

constants=
if command -v nvcc >/dev/null && [ "$RECURRENT_TEST_DEVICE" = cuda ]; then
  timeout 240 nvcc -O3 -arch=native -o "$OUT/barriers" "$here/barriers.cu" >"$OUT/nvcc.log" 2>&1 &
  constants=$!
else
  leave "barrier costs and the floor: nvcc is not here"
fi

echo "== tests, $SECONDS s"
until=$((began + TESTS_UNTIL))
{
  for program in "$FOLDER"/bin/*/*; do
    [ "$(basename "$(dirname "$program")")" = measure ] || printf '%s\n' one "$program" "$until"
  done
  if [ -z "$tiny" ]; then
    for model in {LSTM,GRU}" "{128,64,256,512,32,1024} "LayerNormLstm 128" "LSTM-recurrent-dropout 128" "GRU-relu 128"; do
      printf '%s\n' warm "$model" "$until"
    done
  fi
} | xargs -d '\n' -n 3 -P "$cores" bash "${BASH_SOURCE[0]}" --one
cat "$OUT/tests.csv"
grep -hE "panicked|FAILED" "$OUT"/tests/*.log | head -20
while IFS=, read -r package program passed broken _ how; do
  case $how in
    ok) [ "$passed" -gt 0 ] || fail "$package $program has no tests" ;;
    "cut short" | "not started") fail "$package $program: $how; $passed tests passed, $broken failed" ;;
    *) fail "$package $program: $broken tests, $how" ;;
  esac
done <"$OUT/tests.csv"
if [ -s "$RECURRENT_SKIPPED" ]; then leave "$(sort -u "$RECURRENT_SKIPPED")"; fi

echo "== compute-sanitizer, $SECONDS s"
if command -v compute-sanitizer >/dev/null && [ "$RECURRENT_TEST_DEVICE" = cuda ]; then
  until=$((began + SANITIZER_UNTIL))
  for tool in memcheck racecheck synccheck initcheck; do
    printf '%s\n' sanitize "$tool" whole a_cell_needs_no_cuda "$until"
    printf '%s\n' sanitize "$tool" training fit::a_training_on_ids_is_that_of_the_cpu "$until"
    printf '%s\n' sanitize "$tool" precision models_of_several_precisions "$until"
  done | xargs -d '\n' -n 5 -P 8 bash "${BASH_SOURCE[0]}" --one
  cat "$OUT/sanitizer.csv"
  while IFS=, read -r tool test how; do
    case $how in
      ok) ;;
      *) fail "compute-sanitizer --tool $tool, $test: $how" ;;
    esac
  done <"$OUT/sanitizer.csv"
else
  leave "compute-sanitizer is not here"
fi

echo "== the table, $SECONDS s"
if [ -n "$constants" ]; then
  if wait "$constants" && timeout 30 "$OUT/barriers" >"$OUT/constants.csv" 2>"$OUT/constants.log"; then
    cat "$OUT/constants.csv"
  else
    fail "barriers.cu: see nvcc.log and constants.log"
  fi
  rm -f "$OUT/barriers"
fi
python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null || leave "PyTorch with a GPU is not here"
left=$((ALL_UNTIL - SECONDS))
timeout -k 5 $((left + 10)) python3 "$here/compare.py" "$FOLDER/bin/measure/measure" "$OUT" "$left" $tiny || fail "compare.py"
if [ -n "$(nvidia-smi 2>/dev/null)" ]; then
  nvidia-smi --query-gpu=clocks.sm,clocks.mem,temperature.gpu,clocks_throttle_reasons.active --format=csv,noheader \
    >>"$OUT/machine.txt" 2>/dev/null
fi
exit $failed
