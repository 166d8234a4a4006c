#!/usr/bin/env bash
# All checks that need a real card, in one run that ends by itself within eight minutes.
#
#   build/oncard.sh pack            makes build/out/oncard.tar.xz: needs Go
#   oncard.sh run REPORT [STAGE...] on the machine with the card, from the unpacked folder: needs no Go
#
# Each stage has a time limit of its own, so that one that hangs loses only itself. Without
# names all stages run, the most important first.
set -uo pipefail
whole=470 # seconds for all stages

pack() {
  set -e
  cd "$(dirname "$0")/.."
  local out=build/out/oncard cuda
  make -s all
  cuda=$(realpath build/out/cuda)
  rm -rf "$out" && mkdir -p "$out/data"
  export GOEXPERIMENT=simd CGO_CFLAGS="-O2 -g -I$cuda" CGO_LDFLAGS="-L$cuda"
  go test -c -tags gpu -ldflags '-s -w' -o "$out/cuda.test" ./model/cuda
  go test -c -tags gpu -ldflags '-s -w' -o "$out/model.test" ./model
  go test -c -tags gpu -ldflags '-s -w' -o "$out/gnn.test" ./model/internal/gnn
  go test -c -tags gpu -ldflags '-s -w' -o "$out/baseline.test" ./model/baseline
  cp build/out/rgcn build/out/flb-filter_rgcn.so model/cuda/kernels.ptx build/oncard.sh build/oncard/reference.py conf/parsers.conf "$out"
  build/out/rgcn simulate -q -o "$out/data/ssh.log"
  # The notebook's sessions and Fluent Bit, where they are at hand.
  local notebook=${RGCN_DATA:-../shared/data}/maccdc2012_ssh.log
  [ ! -r "$notebook" ] || cp "$notebook" "$out/data"
  if command -v fluent-bit >/dev/null; then
    mkdir "$out/lib"
    cp "$(command -v fluent-bit)" "$out"
    strip "$out/fluent-bit"
    ldd "$out/fluent-bit" | awk '$3 ~ /^\// && $1 !~ /^lib(c|m|dl|rt|pthread|resolv|gcc_s)\.so/ {print $3}' | xargs -I{} cp {} "$out/lib"
  fi
  tar -C build/out -cf - oncard | xz -T0 -3 >build/out/oncard.tar.xz
  ls -l build/out/oncard.tar.xz
}

# stage NAME SECONDS COMMAND... runs a command and reports its output, its exit status and its time.
stage() {
  local name=$1 limit=$2 began=$SECONDS status
  shift 2
  case " $wanted " in *" $name "* | "  ") ;; *) return ;; esac
  limit=$((limit < whole - SECONDS ? limit : whole - SECONDS))
  [ "$limit" -ge 5 ] || { printf '\n## %s\nno time left\n' "$name" | tee -a "$report"; return; }
  printf '\n## %s\n' "$name" | tee -a "$report"
  timeout --kill-after=5 "$limit" "$@" >"$work/$name.log" 2>&1
  status=$?
  grep -v '^=== ' "$work/$name.log" >>"$report"
  [ $status -ne 124 ] || echo "stopped at its limit of $limit s" >>"$report"
  echo "$name: exit $status after $((SECONDS - began)) s" | tee -a "$report"
}

benchmark() { # BINARY PATTERN TIME
  "./$1" -test.run '^$' -test.bench "$2" -test.benchtime "$3" -test.timeout 10m
}

# host lets Fluent Bit train on the card with both objectives, if it was packed.
host() {
  [ -x ./fluent-bit ] || { echo "no fluent-bit was packed"; return; }
  local dir
  dir=$(mktemp -d)
  cat >"$dir/fluent-bit.conf" <<CONF
[SERVICE]
    Flush        1
    Log_Level    info
    Parsers_File $PWD/parsers.conf
[INPUT]
    Name           tail
    Tag            ssh
    Path           $PWD/data/ssh.log
    Parser         zeek_json
    Read_from_Head On
[FILTER]
    Name            rgcn
    Match           ssh
    Train_Device    cuda:0
    Train_Interval  3s
    Train_Min_New_Edges 0
    State_Dir       $dir/state
[FILTER]
    Name            rgcn
    Match           ssh
    Score           reference_score
    Low_Score       reference_low_score
    Model_Objective reference
    Train_Device    cuda:0
    Train_Interval  3s
    Train_Min_New_Edges 0
[OUTPUT]
    Name           file
    Match          ssh
    Format         plain
    Path           $dir
    File           scored.ndjson
CONF
  LD_LIBRARY_PATH=$PWD/lib:${LD_LIBRARY_PATH:-} timeout -s TERM 15 ./fluent-bit -e ./flb-filter_rgcn.so -c "$dir/fluent-bit.conf" 2>&1 | grep -E 'trained|training|closed|warn|error'
  echo "$(wc -l <data/ssh.log) records in, $(wc -l <"$dir/scored.ndjson") out"
}

# trainings makes fifty trainings while the memory of the card is read four times a second.
trainings() {
  local used=$work/used watcher
  echo "used before: $(nvidia-smi --query-gpu=memory.used --format=csv,noheader)"
  nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -lms 250 >"$used" &
  watcher=$!
  RGCN_TRAININGS=50 ./model.test -test.run TestCUDAMemoryGivenBack -test.v
  ./cuda.test -test.run TestOpenLeavesNothing -test.v
  kill "$watcher"
  echo "used during: $(sort -n "$used" | tail -1) MiB at most"
  echo "used after: $(nvidia-smi --query-gpu=memory.used --format=csv,noheader)"
}

compiler() {
  local ptxas
  CUDA_CACHE_DISABLE=1 benchmark cuda.test Open 3x | sed 's/^BenchmarkOpen/BenchmarkOpenUncached/'
  benchmark cuda.test Open 20x
  ./cuda.test -test.run KernelsOnTheDevice -test.v
  ptxas=$(command -v ptxas || ls /usr/local/cuda/bin/ptxas 2>/dev/null) || return 0
  "$ptxas" --version | grep release
  for arch in sm_75 sm_80 sm_90; do
    echo "$arch: $("$ptxas" -v -arch=$arch -o /dev/null kernels.ptx 2>&1 | grep -c ' 0 bytes spill stores, 0 bytes spill loads') kernels without spills, most registers $("$ptxas" -v -arch=$arch -o /dev/null kernels.ptx 2>&1 | grep -o 'Used [0-9]* reg' | sort -k2n | tail -1)"
  done
}

sanitizer() { # TOOL
  local tool
  tool=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null) || { echo "compute-sanitizer is not here"; return; }
  local binary
  for binary in gnn.test baseline.test; do
    "$tool" --tool "$1" --error-exitcode 9 "./$binary" -test.run 'TestCUDA(Reference)?GradientsAndLosses' -test.v 2>&1 | grep -vE '^\s*(=== |engine)' || return
  done
}

notebook() {
  benchmark model.test Notebook 3x
  [ -r data/maccdc2012_ssh.log ] || return 0
  python3 -c 'import torch' 2>/dev/null || { echo "PyTorch is not here"; return; }
  python3 reference.py data/maccdc2012_ssh.log cuda
  python3 reference.py data/maccdc2012_ssh.log cpu
}

run() {
  report=$(realpath "$1")
  shift
  wanted="$*"
  cd "$(dirname "$0")"
  work=$(mktemp -d)
  export RGCN_DATA=$PWD/data work report
  {
    echo "# On a card, $(date -u +%F)"
    nvidia-smi --query-gpu=name,driver_version,memory.total,memory.used --format=csv
    echo "$(nproc) processors: $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2)"
  } >"$report"
  local f
  for f in benchmark host trainings compiler sanitizer notebook; do export -f "${f?}"; done
  stage twins 100 bash -c 'for t in gnn baseline model; do "./$t.test" -test.run CUDA -test.v || exit; done'
  stage crowded 30 ./model.test -test.run TestCardCrowded -test.v
  stage lost 30 ./model.test -test.run TestCardLost -test.v # a process of its own: the driver refuses it all that follows
  stage compiler 30 bash -c compiler
  stage passes 45 bash -c "benchmark cuda.test 'Copy|Pass/edges=(2000|10000|100000|1000000|10000000)\$/dim=128' 0.3s"
  stage trainings 100 bash -c "benchmark model.test 'Devices/edges=(2000|20000|200000|1000000)\$' 1x"
  stage host 30 bash -c host
  stage notebook 40 bash -c notebook
  stage memory 40 bash -c trainings
  stage memcheck 60 bash -c 'sanitizer memcheck'
  stage racecheck 60 bash -c 'sanitizer racecheck'
  stage large 70 bash -c "benchmark cuda.test 'Pass/edges=100000000\$/dim=128' 0.3s"
  stage two-million 130 bash -c "benchmark model.test 'Devices/edges=2000000\$' 1x"
  printf '\ndone after %d s\n' "$SECONDS" | tee -a "$report"
}

case "${1:-}" in
  pack) pack ;;
  run) shift && run "$@" ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
