#!/bin/sh
# Keep or discard, with results.tsv as the history and lbsense as the judge.
#
#   sh keep_or_discard.sh < ideas.txt      # one idea a line: n_features=12 C=0.3
#
# PYTHON is the interpreter that has lbsense. Every run is written down, kept or not.
set -u
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
results=results.tsv
tab=$(printf '\t')

note() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >> "$results"; }

if [ ! -f "$results" ]; then
    printf 'commit\tval_auc\tstatus\tdescription\n' > "$results"
    note run0 "$("$python" "$here/train.py")" keep baseline
fi

# What a difference of two runs is worth when nothing changed: five seeds, once.
if [ ! -f noise.txt ]; then
    for seed in 1 2 3 4 5; do "$python" "$here/train.py" --seed "$seed"; done |
        awk '{ n++; s += $1; q += $1 * $1 }
             END { printf "%.6f\n", sqrt(2 * (q - s * s / n) / (n - 1)) }' > noise.txt
fi
noise=$(cat noise.txt)

kept=""
run=$(($(wc -l < "$results") - 1))
while IFS= read -r idea; do
    # shellcheck disable=SC2086  # an idea is several arguments
    if ! score=$("$python" "$here/train.py" $kept $idea 2> train.log); then
        note "run$run" 0 crash "$idea"
        run=$((run + 1))
        continue
    fi
    "$python" -m lbsense gate "$results" --metric roc_auc --cv "$score" \
        --step-noise "$noise" --false-share 0.2 --json > gate.json 2> gate.log
    case $? in
        0) status=keep ;;
        1) status=discard ;;
        3) # Too little is known yet: keep what is better by two of its noises.
            best=$(awk -F"$tab" '$3 == "keep" { best = $2 } END { print best }' "$results")
            status=$(awk -v a="$score" -v b="$best" -v s="$noise" \
                'BEGIN { print (a > b + 2 * s) ? "keep" : "discard" }') ;;
        *) cat gate.log >&2; exit 2 ;;
    esac
    note "run$run" "$score" "$status" "$idea"
    [ "$status" = keep ] && kept="$kept $idea"
    run=$((run + 1))
done
"$python" -m lbsense analyze "$results" --metric roc_auc --step-noise "$noise" 2> /dev/null
