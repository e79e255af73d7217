import {
  apt,
  command,
  directory,
  dockerRepository,
  dockerRunning,
  file,
  keepalivedState,
  play,
  playbook,
  service,
  sh,
  template,
} from 'bramble'

const waitForShare = `# Containers that serve the share start after it is mounted; without it they start all the same.
[Unit]
After=remote-fs.target
`

/** Docker Engine and its configuration, on every host at once. */
const install = play({
  name: 'docker',
  hosts: 'all',
  *tasks(host, { cluster, template: source }) {
    const settings = cluster.settings.docker
    // Written before Docker is installed, so that its first start already uses it.
    yield directory({ path: '/etc/docker' })
    yield template({
      path: '/etc/docker/daemon.json',
      source: source('daemon.json.ejs'),
      variables: { docker: settings },
    })
    yield directory({ path: '/etc/systemd/system/docker.service.d' })
    yield file({
      path: '/etc/systemd/system/docker.service.d/bramble.conf',
      content: waitForShare,
      notify: { title: 'reload systemd', apply: sh`systemctl daemon-reload` },
    })
    if (settings.source === 'debian') {
      yield apt({ packages: ['ca-certificates', 'curl', 'docker.io'] })
    } else {
      yield apt({ packages: ['ca-certificates', 'curl'] })
      yield dockerRepository()
      yield apt({ packages: ['docker-ce', 'docker-ce-cli', 'containerd.io'] })
    }
    yield service({ name: 'docker', enabled: true, state: 'started' })
  },
})

const serviceLabel = 'com.docker.swarm.service.name'

/**
 * Ends all containers of the host. Its turn is over when the swarm has started them again, and Keepalived is ready for
 * the virtual IP.
 */
const restart = (stack: string) => sh`services() {
  timeout 20 docker ps --filter ${`label=${serviceLabel}`} --format ${`{{.Label "${serviceLabel}"}}`} | sort
}
ready() {
  [ "$(services)" = "$before" ] || return
  case $before in
    *_keepalived*) { ${keepalivedState(stack)}; } | grep -q -e BACKUP -e MASTER ;;
  esac
}
before=$(services)
systemctl restart docker
tries=0
until ready; do
  tries=$((tries + 1))
  [ "$tries" -lt 300 ] || { echo 'not all containers that ran before run again: docker ps -a' >&2; exit 1; }
  sleep 1
done`

/** A changed configuration takes a restart: one host at a time, since three managers bear the loss of one. */
const dockerRestart = play({
  name: 'docker configuration in use',
  hosts: 'all',
  serial: 1,
  critical: true,
  *tasks(_, { cluster }) {
    yield command({
      title: 'docker runs with its current configuration',
      run: restart(cluster.settings.stack.name),
      unless: sh`[ ! /etc/docker/daemon.json -nt /run/docker.pid ]`,
      restsOn: ['/etc/docker/daemon.json'],
    })
    // systemd takes a daemon that hangs for well, and workers are asked nothing else.
    yield dockerRunning()
  },
})

export default playbook({ name: 'docker', plays: [install, dockerRestart] })
