#!/bin/sh
# What `make web-test` runs: the tests of the page's parts in Node, then those of the page itself in Chromium.
set -eu
cd "$(dirname "$0")/../.."

wasm/ready.sh web-test wasm/demo/node_modules/.installed || { [ $? = 3 ] && exit 0; exit 1; }
$MAKE --no-print-directory target/web-demo/site/index.html
cd wasm/demo
node --test test/parts.test.js
cd ../..
CHROMIUM=$(command -v "${CHROMIUM:-chromium}") || {
    tools/setup.sh --skip "make web-test: there is no Chromium here to show the page in"
    exit
}
export CHROMIUM
cd wasm/demo
exec node --test test/forum.test.js
