import type { Arch, Flavour } from './machines.ts'
import { bridgeAddress, prefixLength } from './machines.ts'

/** slirp4netns answers DNS here, whatever the computer's own resolver is. */
const nameServer = '10.0.2.3'

/** What Raspberry Pi OS Lite has too, as far as a playbook may rely on it. */
const bare = [
  'systemd',
  'e2fsprogs',
  'systemd-sysv',
  'udev',
  'dbus',
  'kmod',
  'libpam-systemd',
  'libnss-myhostname',
  'openssh-server',
  'sudo',
  'iproute2',
  'iputils-ping',
  'procps',
  'netbase',
  'ca-certificates',
  'less',
]

const more: Record<Flavour, readonly string[]> = {
  fresh: [],
  docker: ['docker.io', 'nfs-kernel-server', 'nfs-common', 'rsync', 'curl'],
}

export function packages(arch: Arch, flavour: Flavour): string[] {
  return [...bare, `linux-image-cloud-${arch}`, ...more[flavour]]
}

/**
 * Runs before the packages are unpacked: the initial RAM disk gets just what finds the root filesystem and the
 * network card, which halves the time to boot under emulation.
 */
export const beforePackages = `#!/bin/sh
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
printf 'MODULES=list\\nCOMPRESS=gzip\\nFSTYPE=ext4\\n' > "$1/etc/initramfs-tools/conf.d/virtual-pi"
printf '%s\\n' virtio_pci virtio_mmio virtio_blk virtio_net virtio_rng ext4 \\
  > "$1/usr/share/initramfs-tools/modules.d/virtual-pi"
`

/** Gives the machine its own keys at its first boot (a tar on the second disk), and its address at each boot. */
const boot = `#!/bin/sh
set -eu
[ -e /etc/ssh/ssh_host_ed25519_key ] || tar -C / -xf /dev/vdb
for word in $(cat /proc/cmdline); do
  case $word in bramble.address=*) address=\${word#*=} ;; esac
done
modprobe -q virtio_net || true
tries=0
until ip link show dev eth0 > /dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 300 ] || exit 1
  sleep 0.1
done
ip address replace "$address/${prefixLength}" dev eth0
ip link set eth0 up
ip route replace default via ${bridgeAddress}
`

const bootUnit = `[Unit]
Description=Keys and address of a virtual Pi
DefaultDependencies=no
After=systemd-remount-fs.service
Before=network.target network-online.target ssh.service shutdown.target
Wants=network.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/virtual-pi-boot

[Install]
WantedBy=multi-user.target network-online.target
`

/** Periodic work, consoles and file systems that nothing here uses: they only take time from emulated processors. */
const masked = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'man-db.timer',
  'getty@tty1.service',
  'serial-getty@ttyS0.service',
  'serial-getty@ttyAMA0.service',
  'systemd-pstore.service',
  'systemd-repart.service',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'dev-hugepages.mount',
  ...['configfs', 'dm_mod', 'drm', 'fuse', 'loop'].map((module) => `modprobe@${module}.service`),
]

/** Runs when all packages are configured. */
export const afterPackages = `#!/bin/sh
set -eu
root=$1
chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash pi
install -d -m 700 -o 1000 -g 1000 "$root/home/pi/.ssh"
printf 'pi ALL=(ALL) NOPASSWD: ALL\\n' > "$root/etc/sudoers.d/010_pi-nopasswd"
chmod 440 "$root/etc/sudoers.d/010_pi-nopasswd"
rm -f "$root"/etc/ssh/ssh_host_*
cat > "$root/usr/local/sbin/virtual-pi-boot" <<'END'
${boot}END
chmod 755 "$root/usr/local/sbin/virtual-pi-boot"
cat > "$root/etc/systemd/system/virtual-pi-boot.service" <<'END'
${bootUnit}END
chroot "$root" systemctl enable virtual-pi-boot.service
chroot "$root" systemctl mask ${masked.join(' ')}
chroot "$root" systemctl set-default multi-user.target
printf 'force-unsafe-io\\n' > "$root/etc/dpkg/dpkg.cfg.d/virtual-pi"
printf 'LANG=C.UTF-8\\n' > "$root/etc/default/locale"
printf '/dev/vda / ext4 noatime,errors=remount-ro 0 0\\n' > "$root/etc/fstab"
printf 'raspberrypi\\n' > "$root/etc/hostname"
printf '127.0.0.1 localhost\\n::1 localhost ip6-localhost ip6-loopback\\n' > "$root/etc/hosts"
printf 'nameserver ${nameServer}\\n' > "$root/etc/resolv.conf"
sed -i 's/^update_initramfs=.*/update_initramfs=no/' "$root/etc/initramfs-tools/update-initramfs.conf"
# Nothing of /etc and /var is older than /usr, so the first boot has nothing to bring up to date.
touch "$root/etc/.updated" "$root/var/.updated"
rm -f "$root"/var/cache/apt/archives/*.deb
chroot "$root" apt-cache gencaches
`

/** Left out of every package, as dpkg would unpack them at a thirtieth of the usual speed. */
export const leftOut = ['/usr/share/man/*', '/usr/share/locale/*', '/usr/share/doc/*', '/usr/share/info/*']
