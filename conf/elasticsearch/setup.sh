#!/bin/sh
# Installs what indices of scored SSH sessions need: ingest pipeline, lifecycle policy, index template.
#
#   conf/elasticsearch/setup.sh [URL]     http://127.0.0.1:9200 unless given; ES_AUTH=user:password
#
# Works for Elasticsearch and OpenSearch; it asks the server which one it is. Running it again changes nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
url=${1:-http://127.0.0.1:9200}
url=${url%/} # a path begins with one of its own
name=logs-ssh.rgcn
call() { # METHOD PATH FILE
  answer=$(curl -sS ${ES_AUTH:+-u "$ES_AUTH"} -w '\n%{http_code}' -X "$1" "$url/$2" -H 'Content-Type: application/json' --data-binary @"$3") ||
    { echo "$1 $url/$2: no answer" >&2; exit 1; }
  case "$answer" in # whose last line is the status
    *"
"2[0-9][0-9]) echo "$1 $2: done" ;;
    *) echo "$1 $url/$2: $answer" >&2; exit 1 ;;
  esac
}
kind=$(curl -sS ${ES_AUTH:+-u "$ES_AUTH"} -w '\n%{http_code}' "$url") || { echo "no server answers at $url" >&2; exit 1; }
case "$kind" in
  *"
"2[0-9][0-9]) ;;
  *) echo "$url: $kind" >&2; exit 1 ;;
esac
call PUT "_ingest/pipeline/$name" "$here/pipeline.json"
case "$kind" in
  *'"distribution"'*) # which only OpenSearch has; its name may be in those of any cluster
    # OpenSearch has no ILM, but a plugin with policies of its own, which not every server has.
    if curl -sS ${ES_AUTH:+-u "$ES_AUTH"} "$url/_cat/plugins" | grep -q index-management; then
      curl -sS ${ES_AUTH:+-u "$ES_AUTH"} "$url/_plugins/_ism/policies/$name" | grep -q '"policy"' ||
        call PUT "_plugins/_ism/policies/$name" "$here/../opensearch/ism-policy.json"
    else
      echo "the server has no index management: nothing will delete old indices"
    fi
    tmp=$(mktemp); trap 'rm -f "$tmp"' EXIT
    grep -v '"index.lifecycle.name"' "$here/index-template.json" >"$tmp"
    call PUT "_index_template/$name" "$tmp" ;;
  *)
    call PUT "_ilm/policy/$name" "$here/ilm-policy.json"
    call PUT "_index_template/$name" "$here/index-template.json" ;;
esac
