import * as z from 'zod'
import * as v from './values.ts'

const vip = v.group('The virtual IP address, which Keepalived moves between the load balancers', {
  address: v.ipv4.default('192.168.188.200').describe('The virtual IPv4 address, free on your network'),
  router_id: v
    .integer(1, 255)
    .default(51)
    .describe('VRRP virtual router id; no other VRRP router of the same network may have it'),
  advertise_interval: v
    .number(0.01, 40.95)
    .default(0.25)
    .describe('Seconds between VRRP advertisements; three missed ones move the address'),
  preempt_delay: v
    .integer(0, 1000)
    .default(30)
    .describe('Seconds a returning preferred load balancer waits before it takes the address back'),
  interface: v.interfaceName
    .optional()
    .describe(
      'Network interface that carries the address. Default: the one that holds the address of the host',
    ),
})

const docker = v.group('Docker Engine', {
  source: v
    .oneOf(['debian', 'docker'])
    .default('debian')
    .describe("Whose packages: Debian's docker.io, or docker-ce from Docker's own apt repository"),
  log_max_size: v
    .matching(/^[1-9]\d*[kmg]$/, 'a size such as 10m (k, m or g)')
    .default('10m')
    .describe('Largest log file of a container; SD cards wear out'),
})

const swarm = v.group('Docker Swarm', {
  address_pool: z
    .array(v.cidr, { error: 'a list of networks such as [10.200.0.0/16]' })
    .min(1)
    .default(['10.200.0.0/16'])
    .describe('Networks that overlay networks are cut from; must not overlap with your own network'),
  address_pool_size: v.integer(16, 29).default(24).describe('Prefix length of each overlay network'),
  data_path_port: v.integer(1024, 49151).default(4789).describe('UDP port of the overlay traffic (VXLAN)'),
})

const nfs = v.group(
  'The central share, served by the host of group nfs_server and mounted by every web server',
  {
    export: v.absolutePath.default('/srv/nfs/share').describe('Directory that the server exports'),
    mount: v
      .matching(/^\/[^/\s]+(\/[^/\s]+)+$/, 'an absolute path at least two levels deep')
      .default('/srv/bramble/share')
      .describe(
        'Where clients mount it. Containers see its parent directory, so that a remount shows in them',
      ),
    version: z
      .literal(['4.2', '4.1', 4.2, 4.1], { error: '4.2 or 4.1' })
      .default('4.2')
      .transform(String)
      .describe('NFS protocol version'),
    options: z
      .array(v.matching(/^[\w.=:-]+$/, 'a mount option such as noatime or timeo=20'), {
        error: 'a list of mount options such as [ro, noatime]',
      })
      .default([
        'ro',
        'softerr',
        'timeo=20',
        'retrans=2',
        'noatime',
        'lookupcache=positive',
        '_netdev',
        'nofail',
      ])
      .describe('Mount options of the clients, see nfs(5)'),
    fsid: v
      .integer(1, 0xffffffff)
      .default(1)
      .describe('Fixed id of the export, so that handles outlive a reboot'),
  },
)

const mirror = v.group(
  'The mirror: a copy of the share on the disk of every web server, which is served while the share does not answer',
  {
    refresh_interval: v
      .integer(1, 86400)
      .default(60)
      .describe('Seconds between two refreshes, which read the names of all files and copy what has changed'),
    answer_timeout: v
      .integer(1, 60)
      .default(2)
      .describe(
        'Seconds that the share may take to answer; after that the mirror is served. HAProxy waits as long for a web server, and at least 2, before it asks another',
      ),
    max_size_mb: v
      .integer(0, 100_000_000)
      .default(4096)
      .describe('Size in MB (of 10⁶ bytes) up to which the share is mirrored; 0: not at all'),
  },
)

const haproxy = v.group('HAProxy, on the load balancers', {
  port: v.port.default(80).describe('Port of the site'),
  stats_port: v.port
    .default(8404)
    .describe(
      'Port of the statistics page, and of /metrics for Prometheus; nothing listens there without `stats_password`',
    ),
  health_port: v.port.default(8405).describe('Port of /healthz, which Keepalived asks on the same host'),
  stats_user: v.text('a user name').default('admin').describe('User of the statistics page and of /metrics'),
  stats_password: v.secret
    .optional()
    .describe(
      'Password of the statistics page and of /metrics, which are for private networks. Default: both are off',
    ),
})

const nginx = v.group('Nginx, on the web servers', {
  port: v.port.default(8080).describe('Port that the load balancers reach it at'),
})

const stack = v.group('The Docker stack', {
  name: v
    .matching(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'a stack name of a-z, 0-9, - and _')
    .default('ha-stack')
    .describe('Name given to docker stack deploy'),
  directory: v.absolutePath
    .default('/opt/bramble/ha-stack')
    .describe('Directory on a manager that holds docker-compose.yml and the rendered files'),
  deploy_timeout: v
    .integer(1, 86400)
    .default(300)
    .describe(
      'Seconds that all services may take until they run; if they do not, all go back to the version before',
    ),
})

// The tags follow the stable or long-term series. For a reproducible cluster write your own `name:tag@sha256:…`:
// `docker buildx imagetools inspect nginx:1.28-alpine` prints the digest of the multi-arch image.
const images = v
  .group('Container images', {
    nginx: v.image.default('nginx:1.28-alpine').describe('Image of Nginx'),
    haproxy: v.image.default('haproxy:3.2-alpine').describe('Image of HAProxy'),
    keepalived: v.image.default('localhost/bramble-keepalived:local').describe('Image of Keepalived'),
    archives: v
      .text('a directory')
      .optional()
      .describe(
        'Directory of image archives on your own machine that are loaded onto the nodes over SSH, for clusters without a registry. Relative paths count from the inventory; ~ and ${NAME:-default} are expanded',
      ),
    resolve: v
      .oneOf(['always', 'changed', 'never'])
      .optional()
      .describe('--resolve-image of docker stack deploy. Default: never with archives, else always'),
    keepalived_build: v.boolean
      .optional()
      .describe('Build the Keepalived image on the nodes. Default: true without archives'),
  })
  .transform(({ archives, resolve, keepalived_build, ...references }) => ({
    ...references,
    ...(archives !== undefined && { archives }),
    resolve: resolve ?? (archives === undefined ? ('always' as const) : ('never' as const)),
    keepalived_build: keepalived_build ?? archives === undefined,
  }))

const preflight = v.group('What is checked before anything is changed', {
  max_clock_skew: v
    .number(0.1, 86400)
    .default(30)
    .describe('Seconds a clock may be off from the median of all'),
  min_free_disk_mb: v.integer(0, 1_000_000).default(1024).describe('Free disk space a host must have, in MB'),
})

/** Settings of the whole cluster: inline `vars` of `all`, or `group_vars/all.yml`. */
export const clusterShape = {
  vip: vip.prefault({}),
  docker: docker.prefault({}),
  swarm: swarm.prefault({}),
  nfs: nfs.prefault({}),
  mirror: mirror.prefault({}),
  haproxy: haproxy.prefault({}),
  nginx: nginx.prefault({}),
  stack: stack.prefault({}),
  images: images.prefault({}),
  preflight: preflight.prefault({}),
}
