/**
 * What the lab's images are made of. Each copies the contract of the official image of its name (user, entrypoint,
 * stop signal, paths), so that one compose file serves both.
 *
 * @see https://github.com/nginxinc/docker-nginx, https://github.com/docker-library/haproxy
 */
import { readFileSync } from 'node:fs'
import type { Entry, ImageConfig } from './image-layer.ts'

export interface Recipe {
  name: string
  /** Where the Debian packages have its programs, and where the image has them. */
  programs: { from: string; to: string }[]
  /** Libraries of features that are compiled in and never used here; they would be most of the image. */
  without: RegExp
  /** Libraries that it opens only while it runs: glibc's threads need libgcc_s to end. */
  opens: string[]
  /** Further files of packages, at the same place in the image. */
  copies: string[]
  entries: Entry[]
  config: ImageConfig
}

/** The Debian packages that these come from: the programs', and those of the libraries they use. */
export const packages =
  'busybox haproxy keepalived nftables nginx nginx-common libbsd0 libc6 libcrypt1 libedit2 libgmp10 libjansson4 liblua5.3-0 ' +
  'libmd0 libmnl0 libnftables1 libnftnl11 libnl-3-200 libnl-genl-3-200 libpcre2-8-0 libssl3 libgcc-s1 libtinfo6 libxtables12 zlib1g'

const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']
const applets =
  'ash awk basename cat chmod chown cp cut date dd df dirname du echo env expr false find grep head hostname id ip ' +
  'kill ln ls mkdir mktemp more mv nc netstat ping printf ps pwd readlink realpath rm sed seq sh sleep sort stat tail ' +
  'test timeout top touch tr true uname uniq vi wc wget which whoami xargs'

/** Below all images, together with the libraries that two of them share. */
export const base: Entry[] = [
  ...applets.split(' ').map((name): Entry => ({ path: `/bin/${name}`, type: 'symlink', target: 'busybox' })),
  { path: '/usr/bin/env', type: 'symlink', target: '/bin/busybox' },
  {
    path: '/etc/passwd',
    type: 'file',
    content: `root:x:0:0:root:/root:/bin/sh
haproxy:x:99:99:haproxy:/var/lib/haproxy:/bin/false
nginx:x:101:101:nginx:/nonexistent:/bin/false
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
`,
  },
  {
    path: '/etc/group',
    type: 'file',
    content: 'root:x:0:\nhaproxy:x:99:\nnginx:x:101:\nnogroup:x:65534:\n',
  },
  { path: '/root', type: 'directory', mode: 0o700 },
  { path: '/run', type: 'directory' },
  { path: '/var/run', type: 'symlink', target: '/run' },
  { path: '/tmp', type: 'directory', mode: 0o1777 },
]

const nginx: Recipe = {
  name: 'nginx',
  programs: [{ from: '/usr/sbin/nginx', to: '/usr/sbin/nginx' }],
  without: /^$/,
  opens: ['libgcc_s.so.1'],
  copies: ['/etc/nginx/mime.types'],
  entries: [
    script(
      '/docker-entrypoint.sh',
      'for file in /docker-entrypoint.d/*.sh; do\n  [ ! -x "$file" ] || "$file"\ndone\nexec "$@"\n',
    ),
    {
      path: '/etc/nginx/nginx.conf',
      type: 'file',
      content: `user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events {
    worker_connections 1024;
}
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;
    sendfile on;
    include /etc/nginx/conf.d/*.conf;
}
`,
    },
    { path: '/etc/nginx/conf.d', type: 'directory' },
    { path: '/docker-entrypoint.d', type: 'directory' },
    { path: '/usr/share/nginx/html', type: 'directory' },
    { path: '/var/cache/nginx', type: 'directory', uid: 101 },
    { path: '/var/lib/nginx', type: 'directory', uid: 101 },
    { path: '/var/log/nginx/access.log', type: 'symlink', target: '/dev/stdout' },
    { path: '/var/log/nginx/error.log', type: 'symlink', target: '/dev/stderr' },
  ],
  config: {
    ExposedPorts: { '80/tcp': {} },
    Env: environment,
    Cmd: ['nginx', '-g', 'daemon off;'],
    Entrypoint: ['/docker-entrypoint.sh'],
    StopSignal: 'SIGQUIT',
  },
}

const haproxy: Recipe = {
  name: 'haproxy',
  programs: [{ from: '/usr/sbin/haproxy', to: '/usr/local/sbin/haproxy' }],
  without: /^lib(systemd|opentracing)/,
  opens: ['libgcc_s.so.1'],
  copies: [],
  entries: [
    script(
      '/usr/local/bin/docker-entrypoint.sh',
      `[ "\${1#-}" = "$1" ] || set -- haproxy "$@"
if [ "$1" = haproxy ]; then
  shift
  set -- haproxy -W -db "$@"
fi
exec "$@"
`,
    ),
    { path: '/usr/local/etc/haproxy', type: 'directory' },
    { path: '/var/lib/haproxy', type: 'directory', uid: 99 },
  ],
  config: {
    User: 'haproxy',
    Env: environment,
    Cmd: ['haproxy', '-f', '/usr/local/etc/haproxy/haproxy.cfg'],
    WorkingDir: '/var/lib/haproxy',
    Entrypoint: ['docker-entrypoint.sh'],
    StopSignal: 'SIGUSR1',
  },
}

const keepalived: Recipe = {
  name: 'keepalived',
  programs: ['/usr/sbin/keepalived', '/usr/sbin/nft'].map((path) => ({ from: path, to: path })),
  without: /^lib(systemd|netsnmp|gio|glib|gobject)/,
  opens: [],
  copies: [],
  entries: [
    ...['docker-entrypoint.sh', 'check-haproxy'].map((name): Entry => ({
      path: `/usr/local/bin/${name}`,
      type: 'file',
      mode: 0o755,
      content: shipped(name),
    })),
    { path: '/etc/keepalived', type: 'directory' },
  ],
  config: { Env: environment, Entrypoint: ['docker-entrypoint.sh'] },
}

export const recipes = [nginx, haproxy, keepalived]

function script(path: string, commands: string): Entry {
  return { path, type: 'file', mode: 0o755, content: `#!/bin/sh\nset -e\n${commands}` }
}

/** The file that the Dockerfile of templates/keepalived copies, so that both images do the same. */
function shipped(name: string): string {
  return readFileSync(new URL(`../../templates/keepalived/${name}`, import.meta.url), 'utf8')
}
