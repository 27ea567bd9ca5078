#!/bin/sh
# `make bench`: pyml beside TensorFlow.js, jax-js and borch-ts in one page, interleaved rounds, values checked.
#
#   BENCH_DIR    the yardstick (default ../shared/bench, seen from the repository); copied to build/bench
#   DEVICE       webgpu (default) or wasm: which device of pyml runs, beside the peers that matter there; with wasm PyTorch
#                on one thread of the same machine follows natively
#   WORKLOADS    comma-separated ids             CONTENDERS   comma-separated ids of the peers
#   QUICK=1      only pyml and the fastest peer  ROUNDS, BUDGET   as run.py's --rounds and --budget
#   BENCH_ADAPTER=default   the machine's GPU instead of the software adapter
#   MODELS=1     trained networks instead, beside TensorFlow.js and ONNX Runtime Web, on webgpu and wasm (benchmarks/models);
#                DEVICE=wasm measures one device alone, NETWORKS picks networks, ROUNDS and PAGES bound the time
#   EXPORT=1     exported networks instead, from opening a page to its first prediction, and learning digits (benchmarks/export);
#                DEVICE, NETWORKS and ROUNDS as for MODELS, QUICK=1 a look at it in a minute
#   CAMERA=1     camera frame to prediction instead, beside TensorFlow.js (benchmarks/camera); ROUNDS frames of each
set -eu
cd "$(dirname "$0")/.."
REPOSITORY=$PWD
BENCH_DIR=${BENCH_DIR:-../shared/bench}
BENCH=build/bench
CHOSEN=${DEVICE:-}
DEVICE=${DEVICE:-webgpu}
ALL=matmul256,matmul512,matmul1024,eltwise1m,mlp-train-b64,mnist-book-train-b64,mnist-book-train-b512,mnist-deep-train-b128
case $DEVICE in
  webgpu) PEERS=tfjs-webgpu,jaxjs-webgpu,borch-ts; QUICKEST=jaxjs-webgpu ;;
  wasm)
    PEERS=tfjs-wasm,ort-wasm,jaxjs-webgpu; QUICKEST=tfjs-wasm,ort-wasm
    ALL=$ALL,mobilenet-0.25-infer-b1,mobilenet-1.0-infer-b1,resnet18w16-infer-b16,resnet18w16-train-b16
    ALL=$ALL,transformer-infer-b8,transformer-train-b8,lstm-train-b32 ;;
  *) echo "make bench: DEVICE is '$DEVICE'; expected webgpu or wasm." >&2; exit 1 ;;
esac
[ "${QUICK:-0}" = 1 ] && PEERS=$QUICKEST

if [ ! -e build/site/pyodide/pyodide.mjs ]; then
  echo "make bench: build/site has no Pyodide yet; run 'make setup' first." >&2
  exit 1
fi
if [ ! -e "$BENCH/run.py" ]; then
  if [ ! -e "$BENCH_DIR/run.py" ]; then
    echo "make bench: the yardstick is not at $BENCH_DIR; it is kept outside this repository." >&2
    echo "Name its folder (the one with run.py, spec.py and page/): make bench BENCH_DIR=/path/to/bench" >&2
    exit 1
  fi
  mkdir -p "$BENCH"
  cp -R "$BENCH_DIR/." "$BENCH"
  chmod -R u+w "$BENCH"
fi
if [ ! -e "$BENCH/.ready" ]; then
  (cd "$BENCH" && sh setup.sh) && touch "$BENCH/.ready"
fi

if [ "${MODELS:-0}" = 1 ] || [ "${EXPORT:-0}" = 1 ]; then
  for NAME in mobilenet_v1 efficientnet_lite0 movenet posenet photos; do
    [ -e "build/site/models/$NAME" ] || MISSING=1
  done
  [ -z "${MISSING:-}" ] || .venv/bin/python tools/setup.py --models all
  WHAT=models
  [ "${EXPORT:-0}" = 1 ] && WHAT=export && [ "${QUICK:-0}" = 1 ] && exec $BENCH/.venv/bin/python -m benchmarks.export --quick
  exec $BENCH/.venv/bin/python -m benchmarks.$WHAT --devices "${CHOSEN:-webgpu,wasm}" ${NETWORKS:+--networks "$NETWORKS"} \
    ${ROUNDS:+--rounds "$ROUNDS"} ${PAGES:+--pages "$PAGES"}
fi

if [ "${CAMERA:-0}" = 1 ]; then
  for NAME in mobilenet_v1 photos; do
    [ -e "build/site/models/$NAME" ] || MISSING=1
  done
  [ -z "${MISSING:-}" ] || .venv/bin/python tools/setup.py --models small
  exec $BENCH/.venv/bin/python -m benchmarks.camera ${ROUNDS:+--rounds "$ROUNDS"}
fi

OUT=$BENCH/results/pyml-$DEVICE.json
[ "${QUICK:-0}" = 1 ] && OUT=$BENCH/results/pyml-$DEVICE-quick.json && rm -f "$OUT"
PYTHON=$BENCH/.venv/bin/python
$PYTHON "$BENCH/run.py" --out "$OUT" --extra "$REPOSITORY" -w "${WORKLOADS:-$ALL}" \
  -c "${CONTENDERS:-$PEERS},pyml-$DEVICE=benchmarks/contender.mjs" --rounds "${ROUNDS:-7}" --budget "${BUDGET:-6000}"
NATIVE=
if [ "$DEVICE" = wasm ] && $PYTHON -c "import torch" 2> /dev/null; then
  echo "PyTorch on one thread, natively ..."
  (cd "$BENCH" && .venv/bin/python native.py torch1 > /dev/null)
  NATIVE=$BENCH/results/native.json
fi
echo
$PYTHON benchmarks/report.py "$OUT" "pyml-$DEVICE" $NATIVE
echo
$PYTHON "$BENCH/run.py" --out "$OUT" --check
