import {
  apt,
  command,
  directory,
  dockerRepository,
  dockerRunning,
  file,
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

/** A changed configuration takes a restart: one host at a time, since three managers bear the loss of one. */
const dockerRestart = play({
  name: 'docker configuration in use',
  hosts: 'all',
  serial: 1,
  critical: true,
  *tasks() {
    yield command({
      title: 'docker runs with its current configuration',
      run: sh`systemctl restart docker`,
      unless: sh`[ ! /etc/docker/daemon.json -nt /run/docker.pid ]`,
      restsOn: ['/etc/docker/daemon.json'],
    })
    // systemd takes a daemon that hangs for well, and workers are asked nothing else.
    yield dockerRunning()
  },
})

export default playbook({ name: 'docker', plays: [install, dockerRestart] })
