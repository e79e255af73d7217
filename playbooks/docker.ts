import {
  apt,
  command,
  directory,
  dockerRepository,
  dockerRunning,
  keepalivedState,
  play,
  playbook,
  service,
  sh,
  template,
} from 'bramble'

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

const current = sh`[ ! /etc/docker/daemon.json -nt /run/docker.pid ]`

/** What ran before a restart: the next run waits for it where this one was killed. Gone with a reboot, and then no loss. */
export const RESTARTED = '/run/bramble-docker-restarted'

/**
 * Ends all containers of the host. Its turn is over when the swarm has started them again, a manager is reached by the
 * others, and Keepalived is ready for the virtual IP.
 */
const restart = (stack: string) => sh`services() {
  timeout 20 docker ps --filter ${`label=${serviceLabel}`} --format ${`{{.Label "${serviceLabel}"}}`} | sort
}
ready() {
  [ "$(services)" = "$before" ] || return
  case $(timeout 20 docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}') in
    'active true') timeout 20 docker node inspect self --format '{{.ManagerStatus.Reachability}}' | grep -qx reachable || return ;;
    active* | inactive*) ;;
    *) return 1 ;;
  esac
  case $before in
    *_keepalived*) { ${keepalivedState(stack)}; } | grep -q -e BACKUP -e MASTER ;;
  esac
}
if [ -e ${RESTARTED} ]; then before=$(cat ${RESTARTED}); else
  before=$(services)
  echo "$before" >${RESTARTED}.new
  mv ${RESTARTED}.new ${RESTARTED}
fi
${current} || systemctl restart docker
until=$(($(date +%s) + 300))
until ready; do
  if [ "$(date +%s)" -ge "$until" ]; then
    rm ${RESTARTED}
    echo 'not all containers that ran before run again: docker ps -a; docker node ls' >&2
    exit 1
  fi
  sleep 1
done
rm ${RESTARTED}`

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
      unless: sh`${current} && [ ! -e ${RESTARTED} ]`,
      restsOn: ['/etc/docker/daemon.json'],
    })
    // systemd takes a daemon that hangs for well, and workers are asked nothing else.
    yield dockerRunning()
  },
})

export default playbook({ name: 'docker', plays: [install, dockerRestart] })
