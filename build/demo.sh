#!/usr/bin/env bash
# Runs a whole log once: through Fluent Bit where it is on the PATH, else through `rgcn replay`. It
# ends with the ten lowest scores, the sources that were reported and the page that shows them all.
#
#   build/demo.sh [-columns ts,uid,...] [LOG]    a Zeek ssh.log: JSON lines, TSV with its header, or bare TSV whose
#                                                columns are named; without one, twelve simulated days
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
rgcn=$root/build/out/rgcn
so=$root/build/out/flb-filter_rgcn.so
work=$root/build/out/demo
columns=() # what rgcn is told of a log without a header
if [ "${1:-}" = -columns ]; then columns=(-columns "$2"); shift 2; fi
log=${1:-}
if [ -n "$log" ]; then
  [ -r "$log" ] || { echo "cannot read the log $log" >&2; exit 1; }
  log=$(realpath "$log")
  case "$log" in "$work"/*) echo "$log is what a demo wrote and the next one clears away: copy it first" >&2; exit 1 ;; esac
fi
rm -rf "$work" && mkdir -p "$work"

if [ -z "$log" ]; then
  log=$work/ssh.log
  "$rgcn" simulate -o "$log"
  echo "simulated: $(wc -l <"$log") sessions of 12 days, with labelled attacks in the second week"
fi

# In place of weeks of a live pipeline: learn from the first two thirds of the log, then send the rest
# through the filter.
case "$log" in *.gz) zcat "$log" >"$work/whole.log"; log=$work/whole.log ;; esac
lines=$(wc -l <"$log")
if [ "$lines" -lt 3 ]; then
  echo "$log has $lines lines: the demo learns from the first two thirds of a log and scores the rest; some hundred sessions are needed for that" >&2
  exit 1
fi
header=$(grep -c '^#' "$log" || true)
past=$work/past.log; today=$work/today.log
head -n $((lines * 2 / 3)) "$log" >"$past"
{ if [ "$header" -gt 0 ]; then grep '^#' "$log" | grep -v '^#close'; fi; tail -n +$((lines * 2 / 3 + 1)) "$log" | grep -v '^#'; } >"$today"

echo; echo "== learn from the first two thirds: rgcn train"
"$rgcn" train "${columns[@]}" -state "$work/state" "$past" || {
  [ ${#columns[@]} -gt 0 ] || [ "$header" -gt 0 ] || head -c 1 "$log" | grep -q '{' || echo "a log without a header: make demo LOG=... COLUMNS=ts,uid,id.orig_h,... names its columns, - for one to leave out" >&2
  exit 1
}

if command -v fluent-bit >/dev/null && head -c 1 "$today" | grep -q '{'; then
  echo; echo "== score the rest: fluent-bit $(fluent-bit --version | head -1 | grep -o 'v[0-9.]*'), tail -> rgcn -> file"
  cat >"$work/fluent-bit.conf" <<CONF
[SERVICE]
    Flush        1
    Log_Level    info
    Parsers_File $root/conf/parsers.conf
[INPUT]
    Name           tail
    Tag            ssh
    Path           $today
    Parser         zeek_json
    Read_from_Head On
    Exit_On_Eof    On
[FILTER]
    Name           rgcn
    Match          ssh
    Explain        On
    Train_Interval 0
    State_Dir      $work/state
    # The rest of the log passes within a second, which a budget of alerts a day would take for one day.
    Threshold_Method          quantile
    Threshold_Sources_Per_Day 40
[OUTPUT]
    Name           file
    Match          ssh
    Format         plain
    Path           $work
    File           scored.ndjson
CONF
  fluent-bit -e "$so" -c "$work/fluent-bit.conf" 2>"$work/fluent-bit.log" >/dev/null || { cat "$work/fluent-bit.log" >&2; exit 1; }
  grep 'filter:rgcn' "$work/fluent-bit.log" || true
else
  echo; echo "== score the rest: rgcn replay (fluent-bit is not on the PATH, or the log is not JSON)"
  "$rgcn" replay "${columns[@]}" -state "$work/state" -set explain=on -set train_interval=0 -o "$work/scored.ndjson" "$today"
fi
echo; echo "== the ten lowest scores, low ones first, of $(wc -l <"$work/scored.ndjson") enriched records in ${work#"$root"/}/scored.ndjson"
"$rgcn" lowest -n 10 "$work/scored.ndjson"
echo; echo "== the sources that were reported, by what their odd sessions of a day add up to"
"$rgcn" lowest -sources "$work/scored.ndjson"

echo; echo "== the same as a picture: open this file in a browser"
"$rgcn" report -q -o "$work/report.html" "$work/scored.ndjson"
echo "$work/report.html"
