#!/bin/sh
# piece.sh: one task of a job over the pieces of a capture.
#
#     piece.sh PIECES RESULTS [NUMBER]
#
# Analyses the NUMBERth file of the folder PIECES, from 0, in the order of names, and leaves its
# records as RESULTS/NAME.ndjson.  Without NUMBER it is what Slurm or Kubernetes tell a task.  A task
# that is done already is done; one that was cut off begins anew, since its result has no name yet.
set -eu

pieces=$1 results=$2
number=${3:-${SLURM_ARRAY_TASK_ID:-${JOB_COMPLETION_INDEX:?no NUMBER, and no array task}}}
lastack=${LASTACK:-lastack}

i=0
for piece in "$pieces"/*; do
    [ "$i" -eq "$number" ] && break
    i=$((i + 1))
    piece=
done
[ -n "${piece:-}" ] || { echo "piece.sh: $pieces has no file number $number" >&2; exit 2; }

result=$results/$(basename "$piece").ndjson
[ -e "$result" ] && exit 0
mkdir -p "$results"
status=0
"$lastack" --quiet --piece --ndjson="$result.part" "$piece" || status=$?
# 4: the piece is cut short; what there is of it counts, and the summary says so
[ "$status" -eq 0 ] || [ "$status" -eq 4 ] || exit "$status"
mv "$result.part" "$result"
