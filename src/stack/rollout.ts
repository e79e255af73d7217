/** The scripts that bring a stack to a new version, and back to the one before if the new one does not run. */
import { dockerPost } from '../modules/docker.ts'
import { lines, raw, sh, type Sh } from '../playbook/sh.ts'
import { stackServices, type Deployed, type Version } from './state.ts'

export interface Rollout {
  name: string
  directory: string
  /** Hashes of the files that are deployed, by name. */
  files: Readonly<Record<string, string>>
  /** What to go back to; without services there is nothing. */
  former: Version
  /** Seconds until all services must run, and as many for going back. */
  timeout: number
}

/**
 * Deploys what is in the directory by `command`, and finishes. What to go back to is on record before anything is
 * changed, so that a later run knows it if this one is killed; files are on record once the swarm has all of them.
 */
export function deploy(rollout: Rollout, command: Sh): Sh {
  const { former } = rollout
  const begun: Deployed = { files: {}, services: [], former }
  const begin = lines(
    sh`deploy() {`,
    sh`  ${command} && services=$(list) && record ${head(rollout)}"$services"${`,"former":${JSON.stringify(former)}}`}`,
    sh`}`,
    sh`record ${JSON.stringify(begun)}`,
  )
  return lines(common(rollout), begin, finishing(rollout, sh`deploy`))
}

/** Waits for what an earlier run has deployed, and goes back if it does not run. */
export function finish(rollout: Rollout, { services }: Deployed): Sh {
  return lines(common(rollout), sh`services=${JSON.stringify(services)}`, finishing(rollout, sh`:`))
}

function finishing(rollout: Rollout, begin: Sh): Sh {
  const { former, name, timeout } = rollout
  const back =
    former.services.length === 0
      ? sh`  echo 'There is no version before it that could be gone back to.' >&2`
      : lines(
          sh`  if go_back && settle ${timeout}; then echo ${`All services of ${name} are back at the version before.`} >&2`,
          sh`  else echo ${`${name} could not be brought back to the version before: see docker stack ps ${name}`} >&2; fi`,
        )
  return lines(
    goingBack(rollout),
    sh`if ${begin} && settle ${timeout}; then`,
    sh`  record ${head(rollout)}"$services"'}'`,
    sh`else`,
    sh`  explain >&2`,
    back,
    sh`  exit 1`,
    sh`fi`,
  )
}

/** Specifications as the swarm had them: exact to the digest of an image, and whichever manager is asked. */
function goingBack({ name, former }: Rollout): Sh {
  const names = former.services.map(({ Spec }) => Spec.Name)
  return lines(
    sh`go_back() {`,
    ...former.services.map(({ Spec }) => sh`  put_back ${Spec.Name} ${JSON.stringify(Spec)} || return`),
    sh`  for service in $(docker stack services --format '{{.Name}}' ${name}); do`,
    sh`    case ${` ${names.join(' ')} `} in *" $service "*) ;; *) docker service rm "$service" || return ;; esac`,
    sh`  done`,
    sh`  services=$(list) && record ${head(former)}"$services"'}'`,
    sh`}`,
  )
}

/** The beginning of the record; the services follow. */
function head({ files }: Pick<Version, 'files'>): string {
  return `{"files":${JSON.stringify(files)},"services":`
}

/**
 * `settle SECONDS` waits until every service runs as it is specified: twice in a row, because an update begins a moment
 * after the swarm was told. It fails at the deadline, and as soon as the swarm has given an update up; `bad` are the
 * services then, and `cause` says which of the two it was. `explain` tells what is wrong with their tasks.
 */
function common({ name, directory }: Pick<Rollout, 'name' | 'directory'>): Sh {
  const update = dockerPost(raw('"/services/$path"'), raw('"$2"'))
  const tasks = '{{.ID}} {{.Name}} on {{.Node}}: {{.CurrentState}} {{.Error}}'
  return sh`cd ${directory}
umask 077
record() {
  printf '%s\\n' "$1" >.deployed.json.new && sync .deployed.json.new && mv .deployed.json.new .deployed.json
}
# The services. Without a leader, the swarm tells that instead of them.
ask() {
  answer=$(${stackServices(name)}) || return
  case $answer in
    '['*) printf '%s\\n' "$answer" ;;
    *) printf '%s\\n' "$answer" >&2; return 1 ;;
  esac
}
list() {
  tries=0
  until ask; do
    tries=$((tries + 1))
    [ "$tries" -lt 15 ] || return 1
    sleep 2
  done
}
settle() {
  quiet=0 bad=
  read -r now _ </proc/uptime
  end=$((\${now%.*} + $1)) cause="did not run within $1 s"
  while :; do
    each=$(ask 2>/dev/null | sed 's/{"ID":"/\\n&/g')
    if bad=$(printf '%s\\n' "$each" | grep -e '"UpdateStatus":{"State":"rollback_' -e '"UpdateStatus":{"State":"paused"'); then
      cause='the update failed and was rolled back or paused'
      return 1
    fi
    bad=$(printf '%s\\n' "$each" | awk ${unsettled})
    if [ -n "$each" ] && [ -z "$bad" ]; then quiet=$((quiet + 1)); else quiet=0; fi
    [ "$quiet" -lt 2 ] || return 0
    read -r now _ </proc/uptime
    [ "\${now%.*}" -lt "$end" ] || return 1
    sleep 5
  done
}
explain() {
  [ -n "$bad" ] || { ask 2>&1 >/dev/null || :; return 0; }
  names=$(printf '%s\\n' "$bad" | sed -n 's/.*"Spec":{"Name":"\\([^"]*\\)".*/\\1/p')
  echo $names: "$cause"
  tasks=$(docker service ps --no-trunc --format ${tasks} $names | grep -Ev ${older})
  wrong=$({ printf '%s\\n' "$tasks" | grep -e ': Failed ' -e ': Rejected ' -e ': Complete ' || printf '%s\\n' "$tasks" | grep -v ${': \\(Running\\|Shutdown\\) '}; } | head -n 3)
  [ -n "$wrong" ] || return 0
  printf '%s\\n' "$wrong" | cut -d ' ' -f 2- | sed ${ended}
  timeout 20 docker service logs --raw --tail 3 "\${wrong%% *}" 2>&1
}
put_back() {
  tries=0
  while :; do
    path=create
    ! version=$(docker service inspect --format '{{.Version.Index}}' "$1" 2>/dev/null) || path="$1/update?version=$version"
    ! answer=$({ ${update}; } 2>&1) || return 0
    # The swarm may have changed the service in between: it goes back with it by itself.
    tries=$((tries + 1))
    [ "$tries" -lt 5 ] || { echo "$1: $answer" >&2; return 1; }
    sleep 2
  done
}`
}

/** Ages of tasks that failed long before this deploy. */
const older = '(hour|hours|days|weeks|months|years) ago'

/** A container that is ended because its health check failed may well end without an error. */
const ended = 's/: Complete .* ago $/&(it ended by itself, or its health check failed)/'

/**
 * For awk: leaves the services that are being updated or lack a task, a line of JSON each. The tasks of a node that
 * died are still counted as running, so that there may be more than are wanted.
 */
export const unsettled = String.raw`
function count(name) { return match($0, "\"" name "\":[0-9]+") ? substr($0, RSTART + length(name) + 3, RLENGTH) + 0 : 0 }
!/"Spec"/ { next }
/"UpdateStatus":[{]"State":"updating"/ { print; next }
/"Replicated":[{]"Replicas":0[}]/ { next }
count("DesiredTasks") > 0 && count("RunningTasks") >= count("DesiredTasks") { next }
{ print }`
