#!/bin/sh
# demo.sh BIN: the main job on the bundled workload: records stage v3, prints its table, and draws the call
# graph and the flame graph into demo/.
set -e
bin=$1
mkdir -p demo
"$bin/cprof" run -o demo/v3.prof "$bin/segment" v3
"$bin/cprof" report -s time -n 15 demo/v3.prof
"$bin/cprof" dot demo/v3.prof | dot -Tpng > demo/v3.png
"$bin/cprof" flame -o demo/v3.svg demo/v3.prof
echo "call graph:  $(pwd)/demo/v3.png"
echo "flame graph: $(pwd)/demo/v3.svg (open it in a browser)"
