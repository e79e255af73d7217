# One light host: systemd in a container, in a cgroup of its own.
# usage: light-machine.sh TREE RUN CGROUP NAME ADDRESS
set -eu
tree=$1 run=$2 cgroup=$3 name=$4 address=$5

if [ "${6:-}" != inside ]; then
  if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then set -- /sys/fs/cgroup; else set -- /sys/fs/cgroup/*; fi
  for hierarchy in "$@"; do
    [ -e "$hierarchy/cgroup.procs" ] || continue
    mkdir "$hierarchy/$cgroup"
    # A cpuset of version 1 takes no process before it has processors and memory.
    if [ -e "$hierarchy/cpuset.cpus" ] && [ ! -e "$hierarchy/cgroup.controllers" ]; then
      cat "$hierarchy/cpuset.cpus" > "$hierarchy/$cgroup/cpuset.cpus"
      cat "$hierarchy/cpuset.mems" > "$hierarchy/$cgroup/cpuset.mems"
    fi
    echo 0 > "$hierarchy/$cgroup/cgroup.procs"
  done
  exec unshare --cgroup --mount sh "$0" "$tree" "$run" "$cgroup" "$name" "$address" inside
fi

machine=$run/mnt/$cgroup
mkdir "$machine"

# The machine sees its own cgroup as the root of all.
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
  mkdir "$machine/cgroup"
  mount -t tmpfs -o mode=755 tmpfs "$machine/cgroup"
  for hierarchy in /sys/fs/cgroup/*; do
    [ -e "$hierarchy/cgroup.procs" ] || continue
    controller=${hierarchy##*/}
    mkdir "$machine/cgroup/$controller"
    case $controller in
      unified) mount -t cgroup2 cgroup2 "$machine/cgroup/$controller" ;;
      systemd) mount -t cgroup -o none,name=systemd cgroup "$machine/cgroup/$controller" ;;
      *) mount -t cgroup -o "$controller" cgroup "$machine/cgroup/$controller" ;;
    esac
  done
  mount --rbind "$machine/cgroup" /sys/fs/cgroup
fi

root=$machine/root
mkdir "$machine/upper" "$machine/work" "$machine/docker" "$root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$machine/upper,workdir=$machine/work" "$root"
printf 'ADDRESS=%s\nGATEWAY=10.77.0.1\n' "$address" > "$root/etc/light-host"
printf '%s\n' "$name" > "$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" > "$root/etc/hosts"
install -m 600 "$run/$name.key" "$root/etc/ssh/ssh_host_ed25519_key"
install -m 600 "$run/authorized_keys" "$root/root/.ssh/authorized_keys"
install -m 600 -o 1000 -g 1000 "$run/authorized_keys" "$root/home/pi/.ssh/authorized_keys"

# Docker's layers are an overlay too, and an overlay cannot be the top of another: they get a place below it.
start() {
  systemd-nspawn --quiet --directory="$root" --machine="$name" --boot --register=no --keep-unit \
    --network-veth --network-bridge=br0 --bind="$machine/docker:/var/lib/docker" \
    --capability=all --drop-capability=CAP_SYS_TIME --system-call-filter='add_key keyctl bpf' \
    --resolv-conf=off --timezone=off --link-journal=no --console=pipe
}

# 133 is how it tells that the machine restarts.
code=133
while [ $code -eq 133 ]; do
  code=0
  start || code=$?
done
