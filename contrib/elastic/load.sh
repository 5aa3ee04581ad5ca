#!/bin/sh
# Sends lastack's NDJSON to Elasticsearch or OpenSearch.  Usage: ELASTIC=http://HOST:9200 load.sh FILE...
# Needs curl and jq.  A connection is known by its flow_uid and an event by its id, so what comes
# again replaces itself.  What else the server asks for (-u USER:PASSWORD, --cacert) goes into CURL.
set -eu
elastic=${ELASTIC:-http://127.0.0.1:9200}
here=$(dirname "$0")

send() {
    # shellcheck disable=SC2086
    curl -fsS ${CURL:-} "$@" >"$answer" || return 1
    ! grep -q '"errors":true' "$answer" || { head -c 600 "$answer" >&2; return 1; }
}

answer=$(mktemp)
pieces=$(mktemp -d)
trap 'rm -rf "$answer" "$pieces"' EXIT
for kind in flow event host path stats summary transition segment; do
    send -X PUT -H 'Content-Type: application/json' --data-binary "@$here/$kind.json" \
        "$elastic/_index_template/lastack-$kind"
done

# Two lines a record: where it goes, and itself.
cat "$@" | jq -c '
    (.event.dataset | ltrimstr("lastack.")) as $kind
    | {index: {_index: "lastack-\($kind)", _id: (
        if $kind == "flow" then .lastack.flow_uid
        elif $kind == "event" then .event.id
        elif $kind == "path" then "\(.lastack.flow_uid) \(.lastack.taps | join(" "))"
        elif $kind == "host" then "\(.lastack.scope) \(.source.ip) \(.destination.ip) \(.destination.port) \(.event.start)"
        elif $kind == "segment" then "\(.lastack.flow_uid) \(.lastack.packet) \(."@timestamp")"
        elif $kind == "transition" then "\(.lastack.flow_uid) \(.lastack.side) \(.lastack.after) \(.lastack.packet) \(."@timestamp")"
        else "\($kind) \(."@timestamp") \(.observer.name // "")" end | .[:500])}}, .' |
    split -l 2000 - "$pieces/"
for piece in "$pieces"/*; do
    send -X POST -H 'Content-Type: application/x-ndjson' --data-binary "@$piece" "$elastic/_bulk"
done
