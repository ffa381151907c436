#!/bin/sh
# Builds page/digits.wasm. The folder `page` is all that a server needs.
set -eu
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-target}
cargo build --release --target wasm32-unknown-unknown
cp "$target/wasm32-unknown-unknown/release/recurrent_web.wasm" page/digits.wasm
echo "page/digits.wasm: $(wc -c < page/digits.wasm) bytes, $(gzip -9 -c page/digits.wasm | wc -c) compressed"
