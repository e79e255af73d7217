import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { run } from '../src/lab/run.ts'
import { aptSources, readHostSources } from '../src/lab/sources.ts'

const bare = words(`systemd systemd-sysv dbus libpam-systemd openssh-server sudo kmod procps iproute2
  iputils-ping iptables netbase ca-certificates curl busybox-static`)

const docker = ['docker.io', 'nfs-common']

/** Units that need what a container does not have, or that only cost time. */
const masked = words(`run-rpc_pipefs.mount apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
  e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-timesyncd.service`)

const leftOut = ['/usr/share/man/*', '/usr/share/locale/*', '/usr/share/doc/*', '/usr/share/info/*']

/** Runs inside the finished tree: a Pi's user, and a unit that gives the machine its address. */
const configure = `set -e
root=$1
chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash pi
printf 'pi ALL=(ALL) NOPASSWD: ALL\\n' > "$root/etc/sudoers.d/010_pi-nopasswd"
chmod 440 "$root/etc/sudoers.d/010_pi-nopasswd"
for home in root home/pi; do install -d -m 700 "$root/$home/.ssh"; done
chown 1000:1000 "$root/home/pi/.ssh"
rm -f "$root"/etc/ssh/ssh_host_* "$root"/var/cache/apt/archives/*.deb
printf 'force-unsafe-io\\n' > "$root/etc/dpkg/dpkg.cfg.d/light-host"
printf 'nameserver 10.0.2.3\\n' > "$root/etc/resolv.conf"
cat > "$root/etc/systemd/system/light-host.service" <<'END'
[Unit]
Description=Address and cgroups of a light host
DefaultDependencies=no
Before=network-pre.target sysinit.target
Wants=network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
EnvironmentFile=/etc/light-host
ExecStart=/bin/sh -ec 'ip link set host0 name eth0; ip link set eth0 up; ip address add $ADDRESS/24 dev eth0; ip route add default via $GATEWAY'
# Docker makes cgroups of its own; systemd-nspawn leaves the controllers read-only.
ExecStart=/bin/sh -ec 'for mount in /sys/fs/cgroup /sys/fs/cgroup/*/; do if mountpoint -q $mount; then mount -o remount,rw,bind $mount; fi; done'
[Install]
WantedBy=sysinit.target
END
chroot "$root" systemctl enable light-host.service
chroot "$root" systemctl mask ${masked.join(' ')}
`

/** Where trees, runs and the key of the light hosts are kept. */
export const cache = join(homedir(), '.cache', 'bramble', 'light')

/** The root tree of a light host: the kept one, or a new one, which takes about 40 s. It must not be written to. */
export async function ensureTree(flavour: 'bare' | 'docker'): Promise<string> {
  const packages = flavour === 'docker' ? [...bare, ...docker] : bare
  const recipe = JSON.stringify([packages, configure, leftOut])
  const hash = createHash('sha256').update(recipe).digest('hex').slice(0, 12)
  const tree = join(cache, `tree-${flavour}-${hash}`)
  if (existsSync(tree)) return tree
  mkdirSync(cache, { recursive: true })
  const building = `${tree}.building-${process.pid}`
  await run([
    'mmdebstrap',
    '--mode=root',
    '--variant=minbase',
    '--format=directory',
    // The package lists stay, so that a machine can install at once.
    '--skip=cleanup/apt',
    `--include=${packages.join(',')}`,
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    '--aptopt=Acquire::Languages "none"',
    `--customize-hook=${configure}`,
    'bookworm',
    building,
    ...aptSources(readHostSources()),
  ])
  removeOlder(flavour, [tree, building])
  // Somebody else may have built the same in the meantime.
  if (existsSync(tree)) rmSync(building, { recursive: true })
  else renameSync(building, tree)
  return tree
}

/** Not the tree itself: who built the same in the meantime may have started machines on it. */
function removeOlder(flavour: string, kept: readonly string[]): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name)
    if (!name.startsWith(`tree-${flavour}-`) || kept.includes(path)) continue
    const builder = /\.building-(\d+)$/.exec(name)?.[1]
    if (builder === undefined || !existsSync(`/proc/${builder}`))
      rmSync(path, { recursive: true, force: true })
  }
}

function words(text: string): string[] {
  return text.split(/\s+/)
}
