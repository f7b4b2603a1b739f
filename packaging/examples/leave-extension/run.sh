#!/bin/sh
# The whole way off the VM extension: provision it by a template, use it, find its users, change them, watch the last call go by,
# cut the VM over, prove that nothing is left. Run it as: unshare -Urnm sh packaging/examples/leave-extension/run.sh [SYMBOLON]
# It needs iproute2 and curl. Nothing leaves the namespace that it makes.
set -eu
symbolon=${1:-symbolon} here=$(dirname "$0")
[ -z "$(ip route)" ] || { echo "run it in a network namespace of its own: unshare -Urnm sh $0" >&2; exit 2; }

ip link set lo up && ip address add 169.254.169.254/32 dev lo
mount -t tmpfs tmpfs /run && cp -r "$here/app" /run/app
export SYMBOLON_DATA_DIR=/run/data
"$symbolon" up --imds 169.254.169.254:80 --seed "$here/seed.yaml" > /run/up.log &
trap 'kill $!; wait' EXIT
curl -s --retry 50 --retry-connrefused --retry-delay 1 --output /run/ready http://127.0.0.1:16927/readyz
PATH=$(dirname "$(readlink -f "$(command -v "$symbolon")")"):$PATH
cd /run

step() { echo "\$ $1"; eval "$1"; }
step 'symbolon deployment create story --template app/template.json | grep state'
step 'sh app/token.sh | cut -c 1-26'
step 'symbolon migrate scan app 2>&1 | grep "^[0-9e]"'
step 'symbolon migrate apply --write app'
step 'symbolon migrate scan app 2>&1'
step 'sh app/token.sh | cut -c 1-26'
step 'until symbolon migrate status | grep "dev.*Z.*Z"; do sleep 1; done'
step 'symbolon migrate cutover --vm dev --to revoked'
step 'symbolon migrate cutover --vm dev --undo'
step 'until symbolon migrate cutover --vm dev --quiet 1s; do sleep 1; done'
step 'symbolon migrate verify --guest-root data/guests/dev'
step 'sh app/token.sh | cut -c 1-26'
