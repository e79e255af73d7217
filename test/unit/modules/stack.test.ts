import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stack, stackConfigsPruned, stackRunning } from '../../../src/modules/index.ts'
import { raw, sh } from '../../../src/playbook/sh.ts'
import { finish, unsettled } from '../../../src/stack/rollout.ts'
import type { Service, Task } from '../../../src/stack/state.ts'
import { run, temporary } from './local.ts'
import { node } from './swarm-fixture.ts'
import { table } from './table.ts'

const files = { 'docker-compose.yml': 'services: {}\n', 'nginx.conf': 'events {}\n' }
const hashes = Object.fromEntries(
  Object.entries(files).map(([name, text]) => [name, createHash('sha256').update(text).digest('hex')]),
)
const label = { 'bramble.webserver': 'true' }

function service(more: Partial<Service> = {}, forced = 0): Service {
  return {
    ID: 'nginx',
    Spec: {
      Name: 'ha-stack_nginx',
      TaskTemplate: {
        ForceUpdate: forced,
        Placement: { Constraints: ['node.labels.bramble.webserver == true'] },
      },
      Mode: { Global: {} },
    },
    ServiceStatus: { RunningTasks: 2, DesiredTasks: 2 },
    ...more,
  }
}

const task = (hostname: string, State: string, more: Partial<Task> & { Err?: string } = {}): Task => ({
  CreatedAt: '2026-11-23T00:00:00Z',
  ServiceID: 'nginx',
  NodeID: `id-${hostname}`,
  DesiredState: 'running',
  Status: { State, ...(more.Err !== undefined && { Err: more.Err }) },
  ...more,
})

interface Parts {
  deployed?: unknown
  services?: Service[]
  tasks?: Task[]
  nodes?: ReturnType<typeof node>[]
  configs?: string[]
  secrets?: string[]
}

/** What the probe prints for a stack that runs on two nodes, but for the parts given. */
function seen({
  deployed = { files: hashes, services: [service()] },
  services = [service()],
  tasks = [task('rpi1', 'running'), task('rpi2', 'running')],
  nodes = [node('rpi1', label), node('rpi2', label), node('rpi3')],
  configs = [],
  secrets = [],
}: Parts = {}): string {
  const named = [configs, secrets].map((names) => names.map((Name) => ({ Spec: { Name } })))
  return [deployed, services, tasks, nodes, ...named].map((part) => `${JSON.stringify(part)}\n`).join('')
}

const make = () => stack({ name: 'ha-stack', directory: '/opt/st', files, resolveImage: 'never' })
const withEnvironment = service()
withEnvironment.Spec.TaskTemplate = { ...withEnvironment.Spec.TaskTemplate, Placement: {} }

describe('stack', () => {
  table([
    { title: 'is left alone when all is as deployed and runs', make, seen: seen(), expect: 'ok' },
    {
      title: 'is deployed from its directory the first time',
      make,
      seen: seen({ deployed: null, services: [], tasks: [] }),
      expect: 'change',
      apply:
        /^cd \/opt\/st\n[^]* docker stack deploy -c docker-compose.yml --prune --resolve-image never ha-stack &&/,
    },
    {
      title: 'can be planned where no swarm is managed yet',
      make,
      seen: { code: 7, stdout: 'null\n' },
      expect: 'change',
      diff: '+ stack ha-stack',
      // And by no apply: what to go back to would be taken for nothing.
      apply: /^echo 'no manager of a swarm answers here: bramble status' >&2; exit 1$/,
    },
    {
      title: 'waits for a swarm that chooses its leader',
      make,
      seen: 'null\n{"message":"rpc error: code = Unknown desc = The swarm does not have a leader."}\n',
      expect: 'wait',
      diff: 'does not have a leader',
      apply: /^:$/,
    },
    {
      title: 'is deployed again when a file has changed',
      make,
      seen: seen({ deployed: { files: { ...hashes, 'nginx.conf': 'other' }, services: [service()] } }),
      expect: 'change',
      diff: /^~ nginx.conf$/,
    },
    {
      title: 'is deployed again when somebody has changed a service',
      make,
      seen: seen({ services: [withEnvironment] }),
      expect: 'change',
      diff: '~ service ha-stack_nginx: not as deployed',
    },
    {
      title: 'does not mind a forced restart of a service',
      make,
      seen: seen({ services: [service({}, 3)] }),
      expect: 'ok',
    },
    {
      title: 'is deployed again when a service is gone',
      make,
      seen: seen({ services: [] }),
      expect: 'change',
      diff: '- service ha-stack_nginx: gone',
    },
    {
      title: 'tells which task does not run and why',
      make,
      seen: seen({
        services: [service({ ServiceStatus: { RunningTasks: 1, DesiredTasks: 2 } })],
        tasks: [
          task('rpi1', 'running'),
          task('rpi2', 'failed', { DesiredState: 'shutdown', Err: 'older' }),
          task('rpi2', 'rejected', {
            CreatedAt: '2026-11-23T00:00:09Z',
            DesiredState: 'shutdown',
            Err: 'no image',
          }),
        ],
      }),
      expect: 'wait',
      diff: /^service nginx: 1 of 2 tasks run; rpi2: rejected: "no image"$/,
      apply: /^:$/,
    },
    {
      title: 'waits for a node that has the label and no task yet',
      make,
      seen: seen({ nodes: [node('rpi1', label), node('rpi2', label), node('rpi3', label)] }),
      expect: 'wait',
      diff: /2 of 3 tasks run; rpi3: no task/,
    },
    {
      title: 'does not wait for a node that is down',
      make,
      seen: seen({
        nodes: [node('rpi1', label), node('rpi2', label), node('rpi3', label, { Status: { State: 'down' } })],
      }),
      expect: 'ok',
    },
    {
      title: 'waits for a rolling update',
      make,
      seen: seen({ services: [service({ UpdateStatus: { State: 'updating' } })] }),
      expect: 'wait',
      diff: /update updating/,
    },
    {
      title: 'is not content with a service that runs nowhere',
      make,
      seen: seen({
        services: [service({ ServiceStatus: { RunningTasks: 0, DesiredTasks: 0 } })],
        tasks: [],
        nodes: [node('rpi1')],
      }),
      expect: 'wait',
      diff: /no node fits its constraints/,
    },
    {
      title: 'is deployed again after a paused update',
      make,
      seen: seen({ services: [service({ UpdateStatus: { State: 'paused', Message: 'task failed' } })] }),
      expect: 'change',
      diff: /update paused: task failed/,
      apply: 'docker stack deploy',
    },
    {
      title: 'has a directory with an absolute path',
      make: () => stack({ name: 'ha-stack', directory: 'here', files }),
      seen: '',
      expect: 'error',
      error: /no absolute path/,
    },
  ])

  it('records what the deploy left in a private file, by rename', () => {
    const script = make().plan({ code: 0, stdout: seen({ deployed: null }) })?.apply.text ?? ''
    assert.match(
      script,
      /umask 077[^]*>\.deployed\.json\.new && [^]*mv \.deployed\.json\.new \.deployed\.json/,
    )
    assert.ok(script.includes(JSON.stringify(hashes)))
  })
})

/** A version by the environment of its one service. */
function versionOf(word: string): { files: Record<string, string>; services: Service[] } {
  const one = service()
  one.Spec.TaskTemplate = {
    ...one.Spec.TaskTemplate,
    Placement: { Constraints: [`node.labels.v == ${word}`] },
  }
  return { files: { 'nginx.conf': word }, services: [{ ID: 'nginx', Spec: one.Spec }] }
}

describe('stack, for the case that a deploy does not run,', () => {
  const [older, old] = [versionOf('older'), versionOf('old')]
  const running = { tasks: [], nodes: [], services: old.services }
  const lacking = {
    services: [{ ...old.services[0], UpdateStatus: { State: 'updating' } } as Service],
    tasks: [],
    nodes: [],
  }
  const up = { ServiceStatus: { RunningTasks: 2, DesiredTasks: 2 } }
  running.services = running.services.map((one) => ({ ...one, ...up }))

  const cases: [title: string, parts: Parts, former: object][] = [
    ['goes back to what was seen to run', { ...running, deployed: old }, old],
    ['goes back to that also when it lacks something now', { ...lacking, deployed: old }, old],
    [
      'goes back to a version that nobody saw through, if it runs',
      { ...running, deployed: { ...old, former: older } },
      old,
    ],
    ['goes back past one that does not run', { ...lacking, deployed: { ...old, former: older } }, older],
    [
      'goes back past one whose deploy was cut off',
      { ...running, deployed: { files: {}, services: [], former: older } },
      older,
    ],
    [
      'goes back past one that was changed since',
      { ...running, deployed: { ...older, former: older } },
      older,
    ],
    [
      'goes back to what another manager deployed since, if it runs',
      { ...running, deployed: older },
      { files: {}, services: old.services },
    ],
    [
      'goes back to what another manager deployed, if it runs',
      { ...running, deployed: null },
      { files: {}, services: old.services },
    ],
    [
      'has nothing to go back to the first time',
      { services: [], tasks: [], deployed: null },
      { files: {}, services: [] },
    ],
    [
      'has nothing to go back to where what there is does not run',
      { ...lacking, deployed: null },
      { files: {}, services: [] },
    ],
  ]
  for (const [title, parts, former] of cases) {
    it(title, () => {
      const script = make().plan({ code: 0, stdout: seen(parts) })?.apply.text ?? ''
      assert.ok(script.includes(`"former":${JSON.stringify(former)}}`), script)
      const none = (former as { services: object[] }).services.length === 0
      assert.equal(script.includes('There is no version before it'), none)
    })
  }

  table([
    {
      title: 'sees a version through that a run has left, without deploying it again',
      make,
      seen: seen({ deployed: { files: hashes, services: [service()], former: older } }),
      expect: 'change',
      diff: /^~ deployed by a run that did not see it through$/,
      apply: /if : && settle 300; then\n {2}record [^]*go_back && settle 300/,
    },
    {
      title: 'tells what it still waits for then',
      make,
      seen: seen({
        services: [service({ UpdateStatus: { State: 'updating' } })],
        deployed: { files: hashes, services: [service()], former: older },
      }),
      expect: 'change',
      diff: 'update updating',
      apply: /if : && settle 300/,
    },
  ])
})

describe('stack running', () => {
  it('tells which nodes the swarm gives tasks', () => {
    const paused = node('rpi2', label)
    paused.Spec.Availability = 'pause'
    const stdout = seen({
      nodes: [node('rpi1', label), paused, node('rpi3')],
      tasks: [task('rpi1', 'running')],
    })
    const told = stackRunning({ name: 'ha-stack', directory: '/opt' }).facts?.({ code: 0, stdout })
    assert.deepEqual(told, { active_nodes: 'rpi1 rpi3' })
  })
})

const line = (more: object, mode: object = { Global: {} }) =>
  JSON.stringify({ ID: 'x', Spec: { Name: 'st_nginx', Mode: mode }, ...more })
const status = (RunningTasks: number, DesiredTasks: number) => ({
  ServiceStatus: { RunningTasks, DesiredTasks, CompletedTasks: 0 },
})

describe('the wait for the services of a stack', () => {
  const cases: [title: string, line: string, settled: boolean][] = [
    ['is over when all tasks run', line(status(12, 12)), true],
    ['is over after an update', line({ UpdateStatus: { State: 'completed' }, ...status(2, 2) }), true],
    ['goes on while a task is lacking', line(status(1, 12)), false],
    ['is over while those of a node that died count as running, too', line(status(12, 2)), true],
    ['goes on while there is no task at all', line(status(0, 0)), false],
    ['is over for a service that is to have none', line(status(0, 0), { Replicated: { Replicas: 0 } }), true],
    ['goes on during an update', line({ UpdateStatus: { State: 'updating' }, ...status(2, 2) }), false],
    ['looks at services only', '[', true],
  ]
  for (const [title, text, settled] of cases)
    it(title, () => {
      const { code, stdout } = run(sh`printf '%s\\n' ${text} | awk ${unsettled}`)
      assert.deepEqual([code, stdout], [0, settled ? '' : `${text}\n`])
    })
})

describe('the wait for the services of a stack, where the swarm answers something else', () => {
  const directory = temporary()

  it('goes on, is no success when its time is over, and tells what the swarm said', () => {
    const pid = join(directory.path, 'docker.pid')
    writeFileSync(pid, String(process.pid))
    const rollout = {
      name: 'ha-stack',
      directory: directory.path,
      files: {},
      former: { files: {}, services: [] },
      timeout: 1,
    }
    const answering = `curl() { echo '{"message":"The swarm does not have a leader."}'; }\nsleep() { :; }\n`
    const script = finish(rollout, { files: {}, services: [] }).text.replaceAll('/run/docker.pid', pid)
    const { code, stderr } = run(raw(answering + script), { strict: true })
    assert.equal(code, 1)
    assert.match(stderr, /The swarm does not have a leader/)
    assert.deepEqual(readdirSync(directory.path), ['docker.pid'])
  })
})

const prune = () => stackConfigsPruned({ name: 'ha-stack', directory: '/opt/st', keep: ['new'] })

describe('stackConfigsPruned', () => {
  table([
    { title: 'keeps what is used', make: prune, seen: seen({ configs: ['new'] }), expect: 'ok' },
    {
      title: 'removes what is not',
      make: prune,
      seen: seen({ configs: ['old', 'new'] }),
      expect: 'change',
      diff: /^- config old$/,
      apply: /^docker config rm old$/,
    },
    {
      title: 'removes old secrets, too',
      make: prune,
      seen: seen({ configs: ['old', 'older', 'new'], secrets: ['new', 'old'] }),
      expect: 'change',
      diff: '- config old\n- config older\n- secret old',
      apply: /^docker config rm old older\ndocker secret rm old$/,
    },
  ])

  it('rests on the same probe as the stack, so that it costs nothing', () => {
    assert.equal(prune().probe.text, make().probe.text)
  })
})
