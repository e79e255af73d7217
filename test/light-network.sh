# The first process of a set of light hosts, in mount, network and PID namespaces of its own: when it ends, because
# its input did, the kernel ends everything it started and removes what it mounted.
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
for host in "$@"; do
  name=${host%%=*} address=${host#*=}
  sh "$here/light-machine.sh" "$tree" "$run" "$cgroup-$name" "$name" "$address" \
    < /dev/null > "$run/$name.log" 2>&1 &
done
echo started
cat > /dev/null
