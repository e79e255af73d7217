import {
  absent,
  apt,
  command,
  lines,
  mirrorDirectory,
  mount,
  play,
  playbook,
  sh,
  type Cluster,
  type Sh,
} from 'bramble'
import { RESTARTED } from './docker.ts'

const sysctls = ['net.ipv4.ip_nonlocal_bind=0', 'net.ipv4.tcp_migrate_req=0']

/**
 * What site.ts put on a host is taken away; `bramble reset` and `bramble node remove` run this once the host has left
 * the swarm. What was in the share stays where it is: it is yours.
 */
const files = play({
  name: 'reset',
  hosts: 'all',
  *tasks(_, { cluster }) {
    const { vip, nfs, stack, images } = cluster.settings
    const { address } = vip
    yield command({
      title: `no ${address}`,
      // A Keepalived that was killed leaves it behind.
      run: sh`ip -4 -oneline address show to ${address} | while read -r _ device _; do ip address del ${`${address}/32`} dev "$device"; done`,
      unless: sh`! ip -4 -oneline address show to ${address} | grep -q .`,
    })
    // Also where it is no web server or NFS server any more.
    // Before the share, which it would mount again.
    yield command({
      title: 'no service bramble-content',
      run: sh`systemctl disable --now bramble-content`,
      unless: sh`! systemctl -q is-enabled bramble-content 2>/dev/null && ! systemctl -q is-active bramble-content`,
    })
    yield absent({
      path: '/etc/systemd/system/bramble-content.service',
      notify: { title: 'reload systemd', apply: sh`systemctl daemon-reload` },
    })
    yield absent({ path: '/usr/local/sbin/bramble-content' })
    yield absent({ path: '/etc/tmpfiles.d/bramble-content.conf' })
    yield absent({ path: '/run/bramble/content' })
    yield absent({ path: mirrorDirectory(nfs) })
    yield mount({ path: nfs.mount, source: nfs.export, type: 'none', state: 'absent' })
    yield absent({ path: `${nfs.mount}/.bramble-not-mounted` })
    yield absent({
      path: '/etc/nfs.conf.d/bramble.conf',
      notify: { title: 'restart the NFS server', apply: sh`systemctl try-restart nfs-server` },
    })
    yield absent({
      path: '/etc/exports.d/bramble.exports',
      notify: { title: 'export nothing', apply: sh`! command -v exportfs >/dev/null || exportfs -ra` },
    })
    yield absent({ path: '/etc/sysctl.d/60-bramble.conf' })
    yield command({
      title: 'sysctls as they were',
      run: sh`sysctl -q -w ${sysctls}`,
      unless: sh`for pair in ${sysctls}; do [ "$(sysctl -n "\${pair%%=*}")" = "\${pair#*=}" ] || exit 1; done`,
    })
    yield command({
      title: 'no images of the stack',
      run: sh`{ ${ids(images)}; } | sort -u | xargs docker image rm --force >/dev/null`,
      unless: sh`! [ -S /run/docker.sock ] || [ -z "$(${ids(images)})" ]`,
    })
    const restart = { title: 'restart docker', apply: sh`systemctl try-restart docker` }
    yield absent({ path: '/etc/docker/daemon.json', notify: restart })
    yield absent({ path: RESTARTED })
    yield absent({ path: stack.directory })
    // Where that is by default; what else is in there is not bramble's.
    yield command({
      title: 'no empty /opt/bramble',
      run: sh`rmdir /opt/bramble`,
      unless: sh`! [ -d /opt/bramble ] || [ -n "$(ls -A /opt/bramble)" ]`,
    })
  },
})

/** Left out without `bramble reset --packages`. Docker's data are those of other projects, too. */
const packages = play({
  name: 'reset packages',
  hosts: 'all',
  tags: ['packages'],
  *tasks(_, { cluster }) {
    const docker =
      cluster.settings.docker.source === 'debian'
        ? ['docker.io']
        : ['docker-ce', 'docker-ce-cli', 'containerd.io']
    const others = ['nfs-kernel-server', 'nfs-common', 'rsync']
    yield apt({ packages: [...docker, ...others], state: 'absent', purge: true })
    // A disk of its own may be mounted there, which is emptied.
    yield command({
      title: 'no data of Docker',
      run: sh`find /var/lib/docker -xdev -mindepth 1 -delete
mountpoint -q /var/lib/docker || rmdir /var/lib/docker`,
      unless: sh`[ ! -e /var/lib/docker ] || { mountpoint -q /var/lib/docker && [ -z "$(ls -A /var/lib/docker)" ]; }`,
    })
    yield absent({ path: '/etc/apt/sources.list.d/docker.sources' })
    yield absent({ path: '/etc/apt/keyrings/docker.asc' })
  },
})

/** What bramble remembers of a host: which handlers have not run yet, which configurations its images have agreed to. */
const memory = play({
  name: 'reset memory',
  hosts: 'all',
  tasks: () => [absent({ path: '/var/lib/bramble' })],
})

export default playbook({ name: 'reset', runBy: 'bramble reset', plays: [files, packages, memory] })

/** Prints the ids of the stack's images on the host. Those that the swarm has pulled by their digests have no tag. */
function ids({ nginx, haproxy, keepalived }: Cluster['settings']['images']): Sh {
  return lines(
    ...[nginx, haproxy, keepalived].map((image) => {
      const [, name = '', tag = 'latest'] =
        /^(?:docker\.io\/(?:library\/)?)?(.+?)(?::([^:/@]+))?(?:@.*)?$/.exec(image) ?? []
      return sh`docker image ls --no-trunc --filter ${`reference=${name}`} --format ${'{{.Tag}} {{.ID}}'} |
  while read -r tag id; do
    case $tag in ${tag} | '<none>') echo "$id" ;; esac
  done`
    }),
  )
}
