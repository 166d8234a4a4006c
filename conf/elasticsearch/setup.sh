#!/bin/sh
# Installs what indices of scored SSH sessions need: ingest pipeline, lifecycle policy, index template.
#
#   conf/elasticsearch/setup.sh [URL]     http://127.0.0.1:9200 unless given; ES_AUTH=user:password
#
# Works for Elasticsearch and OpenSearch; it asks the server which one it is. A lifecycle policy that is there already
# stays as it is: it says how long you keep the indices. The rest is brought to what this version has.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
url=${1:-http://127.0.0.1:9200}
url=${url%/} # a path begins with one of its own
name=logs-ssh.rgcn

# ask METHOD PATH [FILE] sets answer and status, and ends the script where there is no answer. Others could read a password
# among curl's arguments.
ask() {
  file=${3:-}
  answer=$(
    if [ -n "${ES_AUTH:-}" ]; then
      printf 'user = "%s"\n' "$(printf %s "$ES_AUTH" | sed 's/[\\"]/\\&/g')"
    fi | curl -sS --config - -w '\n%{http_code}' -X "$1" "$url/$2" ${file:+-H 'Content-Type: application/json' --data-binary @"$file"}
  ) || { echo "$1 $url/$2: no answer" >&2; exit 1; }
  status=${answer##*
}
}
refused() { echo "$1 $url/$2: $answer" >&2; exit 1; }
put() { # PATH FILE
  ask PUT "$1" "$2"
  case $status in 2??) echo "PUT $1: done" ;; *) refused PUT "$1" ;; esac
}
put_policy() { # PATH FILE
  ask GET "$1"
  case $status in
    2??) echo "GET $1: there is one, which stays as it is" ;;
    404) put "$1" "$2" ;;
    *) refused GET "$1" ;;
  esac
}

ask GET ""
case $status in 2??) ;; *) refused GET "" ;; esac
kind=$answer
put "_ingest/pipeline/$name" "$here/pipeline.json"
case $kind in
  *'"distribution"'*) # which only OpenSearch has; its name may be in those of any cluster
    # OpenSearch has no ILM, but a plugin with policies of its own, which not every server has.
    ask GET _cat/plugins
    case $status:$answer in
      2??:*index-management*) put_policy "_plugins/_ism/policies/$name" "$here/../opensearch/ism-policy.json" ;;
      2??:*) echo "the server has no index management: nothing will delete old indices" ;;
      *) refused GET _cat/plugins ;;
    esac
    tmp=$(mktemp); trap 'rm -f "$tmp"' EXIT
    grep -v '"index.lifecycle.name"' "$here/index-template.json" >"$tmp"
    put "_index_template/$name" "$tmp" ;;
  *)
    put_policy "_ilm/policy/$name" "$here/ilm-policy.json"
    put "_index_template/$name" "$here/index-template.json" ;;
esac
