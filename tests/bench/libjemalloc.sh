#!/bin/sh
# Makes /usr/local/lib/libjemalloc.a, the jemalloc with the prefix je_ that ristretto's z package links against, from the one of
# Debian's libjemalloc-dev: the same code under other names, so that the process keeps its own malloc. Needs objcopy (binutils).
set -eu
from=${1:-$(gcc -print-file-name=libjemalloc.a)}
to=${2:-/usr/local/lib/libjemalloc.a}
names=$(mktemp)
trap 'rm -f "$names"' EXIT
nm --defined-only --extern-only "$from" | awk 'NF == 3 && $3 !~ /^(je_|_Z|DW\.)/ { print $3, "je_" $3 }' | sort -u >"$names"
objcopy --redefine-syms="$names" "$from" "$to"
echo "$to: $(wc -l <"$names") names got the prefix je_"
