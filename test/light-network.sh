# The first process of a set of light hosts, in mount, network and PID namespaces of its own: when it ends, because
# its input did, the kernel ends everything it started and removes what it mounted. Its input: NAME=ADDRESS, one a line.
# usage: light-network.sh TREE RUN CGROUP NAME=ADDRESS...
set -eu
tree=$1 run=$2 cgroup=$3
shift 3
here=$(dirname "$0")

ip link set lo up
ip link add br0 type bridge
ip address add 10.77.0.1/24 dev br0
ip link set br0 up
echo 1 > /proc/sys/net/ipv4/ip_forward
iptables -t nat -A POSTROUTING -s 10.77.0.0/24 ! -d 10.77.0.0/24 -j MASQUERADE

mount -t tmpfs -o mode=755 tmpfs "$run/mnt"
count=0
boot() {
  name=${1%%=*} address=${1#*=} count=$((count + 1))
  sh "$here/light-machine.sh" "$tree" "$run" "$cgroup-$count-$name" "$name" "$address" \
    < /dev/null >> "$run/$name.log" 2>&1 &
}
for host in "$@"; do boot "$host"; done
echo started
# A line is a machine that takes the place of one that is off: with a disk of its own, and the key that is there now.
while read -r host; do boot "$host"; done
