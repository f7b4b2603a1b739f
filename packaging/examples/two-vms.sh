#!/bin/sh
# Two VMs on one host, without root: two network namespaces with the same private address, whose metadata service is the
# host's. Run it as: unshare -Urnm sh packaging/examples/two-vms.sh [SYMBOLON]
# It needs iproute2 and curl. Nothing leaves the namespaces that it makes.
set -eu
symbolon=${1:-symbolon} here=$(dirname "$0")
[ -z "$(ip route)" ] || { echo "run it in a network namespace of its own: unshare -Urnm sh $0" >&2; exit 2; }

ip link set lo up && ip address add 169.254.169.254/32 dev lo
mount -t tmpfs tmpfs /run
for vm in one two; do
    ip netns add $vm
    ip link add tap-$vm type veth peer name eth0 netns $vm && ip link set tap-$vm up
    ip -n $vm address add 10.0.0.4/24 dev eth0 && ip -n $vm link set eth0 up
    ip -n $vm route add 169.254.169.254 dev eth0
done
"$symbolon" up --ephemeral --no-extension --seed "$here/two-vms.yaml" --json > /run/ready &
trap 'kill $!; wait' EXIT
for vm in one two; do
    ip netns exec $vm curl -s --retry 20 --retry-connrefused --retry-delay 1 -H Metadata:true \
        'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net'
    echo
done
