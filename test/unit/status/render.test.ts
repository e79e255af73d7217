import assert from 'node:assert/strict'
import { stripVTControlCharacters } from 'node:util'
import { coloured, plain } from '../../../src/report/text.ts'
import { problem } from '../../../src/status/problem.ts'
import { render } from '../../../src/status/render.ts'
import type { ClusterStatus, NodeStatus, ServerStatus } from '../../../src/status/types.ts'

const server = (name: string, more: Partial<ServerStatus> = {}): ServerStatus => ({
  name,
  up: true,
  status: 'UP',
  since: '2026-11-24T08:00:00.000Z',
  check: 'L7OK',
  ...more,
})
const names = ['rpi1', 'rpi2', 'rpi3', 'rpi4']
const service = (name: string, desired: number, running = desired) => ({
  name,
  running,
  desired,
  lacking: [],
  notes: [],
  settled: running === desired,
})

function node(name: string, more: Partial<NodeStatus> = {}): NodeStatus {
  const index = names.indexOf(name)
  return {
    name,
    address: `192.168.188.1${index + 1}`,
    reachable: true,
    error: null,
    role: index < 3 ? 'manager' : 'worker',
    leader: index === 0,
    availability: 'active',
    state: 'ready',
    load: 0.12 + index * 4,
    temperature_c: 48.2 + index * 12,
    up_since: '2026-11-20T08:15:42.000Z',
    disk_free_mb: 20_000,
    clock_offset_s: 0,
    os: 'Debian GNU/Linux 12 (bookworm)',
    kernel: '6.12.47+rpt-rpi-v8',
    docker: '20.10.24',
    certificate: { from: '2026-11-12T00:00:00.000Z', until: '2027-02-10T00:00:00.000Z' },
    share: { path: '/srv/bramble/share', mounted: true, answers: true, error: null },
    content: {
      source: 'nfs',
      since: null,
      reason: null,
      error: null,
      refreshed: '2026-11-24T08:14:00.000Z',
      bytes: 14_200_000,
      files: 321,
    },
    ...more,
  }
}

/** What a cluster is when all is well, with changes. */
function status(more: Partial<ClusterStatus> = {}): ClusterStatus {
  return {
    ok: true,
    time: '2026-11-24T08:15:02.000Z',
    stack: 'ha-stack',
    vip: { address: '192.168.188.200', holders: ['rpi1'] },
    nodes: names.map((name) => node(name)),
    services: [service('haproxy', 2), service('keepalived', 2), service('nginx', 4)],
    balancers: ['rpi1', 'rpi2'].map((name) => ({
      name,
      error: null,
      servers: names.map((one) => server(one)),
    })),
    problems: [],
    ...more,
  }
}

const wrong = status({
  ok: false,
  vip: { address: '192.168.188.200', holders: [] },
  services: [service('haproxy', 2), service('nginx', 4, 3)],
  nodes: [
    node('rpi1', { certificate: { from: '2026-08-01T00:00:00.000Z', until: '2026-11-01T00:00:00.000Z' } }),
    node('rpi2', { kernel: '6.6.51+rpt-rpi-v8', availability: 'drain' }),
    node('rpi3', {
      state: 'down',
      share: { path: '/srv/bramble/share', mounted: true, answers: false, error: null },
      content: {
        source: 'mirror',
        since: null,
        reason: null,
        error: null,
        refreshed: '2026-11-24T05:00:00.000Z',
        bytes: null,
        files: null,
      },
    }),
    node('rpi4', {
      reachable: false,
      error: 'cannot be reached',
      load: null,
      temperature_c: null,
      up_since: null,
      os: null,
      kernel: null,
      docker: null,
      certificate: null,
      share: null,
      content: null,
    }),
  ],
  balancers: [
    {
      name: 'rpi1',
      error: null,
      servers: [
        server('rpi1'),
        server('rpi2', { status: 'UP 1/2' }),
        server('rpi4', { up: false, status: 'DOWN' }),
      ],
    },
    { name: 'rpi2', error: 'no answer', servers: [] },
  ],
  problems: [
    problem(
      ['rpi1', 'rpi2'],
      'nobody holds the virtual IP 192.168.188.200: the site cannot be reached there',
      ['bramble exec rpi1 -- docker service logs --tail 20 ha-stack_keepalived'],
      'What Keepalived says:',
    ),
    problem(['rpi4'], 'rpi4: pi@192.168.188.14:22 cannot be reached: connect ETIMEDOUT', [
      'bramble exec rpi4 -- uptime',
    ]),
  ],
})

describe('a status on a terminal', () => {
  const zone = process.env['TZ']
  before(() => (process.env['TZ'] = 'UTC'))
  after(() => {
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  })

  it('fits one screen of 80 by 24 for four nodes', () => {
    assert.equal(
      render(status(), { columns: 80, paint: plain }).join('\n'),
      `ha-stack   all is well                                       2026-11-24 08:15:02
virtual IP 192.168.188.200 on rpi1
services   haproxy 2/2  keepalived 2/2  nginx 4/4
versions   Debian 12, Linux 6.12.47+rpt-rpi-v8, Docker 20.10.24

node  role     state    load   temp  up since          certificate
rpi1  leader   active   0.12  48 °C  2026-11-20 08:15  77 of 90 d left
rpi2  manager  active   4.12  60 °C  2026-11-20 08:15  77 of 90 d left
rpi3  manager  active   8.12  72 °C  2026-11-20 08:15  77 of 90 d left
rpi4  worker   active  12.12  84 °C  2026-11-20 08:15  77 of 90 d left

node  from rpi1  from rpi2  share    serves  mirror
rpi1  up         up         answers  nfs     62 s old, 14 MB
rpi2  up         up         answers  nfs     62 s old, 14 MB
rpi3  up         up         answers  nfs     62 s old, 14 MB
rpi4  up         up         answers  nfs     62 s old, 14 MB`,
    )
  })

  it('fits it with two problems as well, and shows each with its command', () => {
    const lines = render(wrong, { columns: 80, paint: plain })
    assert.equal(
      lines.join('\n'),
      `ha-stack   2 problems                                        2026-11-24 08:15:02
virtual IP 192.168.188.200 on no host that was asked
services   haproxy 2/2  nginx 3/4
versions   Debian 12, Linux 6.12.47+rpt-rpi-v8, Docker 20.10.24: rpi1, rpi3
           Debian 12, Linux 6.6.51+rpt-rpi-v8, Docker 20.10.24: rpi2

node  role     state      load   temp  up since          certificate
rpi1  leader   active     0.12  48 °C  2026-11-20 08:15  expired
rpi2  manager  drain      4.12  60 °C  2026-11-20 08:15  77 of 90 d left
rpi3  manager  down       8.12  72 °C  2026-11-20 08:15  77 of 90 d left
rpi4  worker   no answer     –      –  –                 –

node  from rpi1  from rpi2  share      serves  mirror
rpi1  up         no answer  answers    nfs     62 s old, 14 MB
rpi2  UP 1/2     no answer  answers    nfs     62 s old, 14 MB
rpi3  unknown    no answer  no answer  mirror  3 h old
rpi4  DOWN       no answer

problems
✖ nobody holds the virtual IP 192.168.188.200: the site cannot be reached
  there. What Keepalived says:
  bramble exec rpi1 -- docker service logs --tail 20 ha-stack_keepalived
✖ rpi4: pi@192.168.188.14:22 cannot be reached: connect ETIMEDOUT
  bramble exec rpi4 -- uptime`,
    )
    assert.ok(lines.length <= 24)
  })

  it('is one table where the terminal is wide enough', () => {
    const lines = render(status(), { columns: 200, paint: plain })
    assert.equal(lines.length, 10)
    assert.equal(
      lines.at(-1),
      'rpi4  worker   active  12.12  84 °C  2026-11-20 08:15  77 of 90 d left  up         up         answers  nfs     62 s old, 14 MB',
    )
  })

  for (const columns of [40, 80, 81, 120, 200]) {
    it(`has no line wider than ${columns} but commands`, () => {
      const told = new Set(wrong.problems.flatMap(({ commands }) => commands))
      for (const line of render(wrong, { columns, paint: coloured })) {
        const text = stripVTControlCharacters(line)
        assert.ok(text.length <= columns || told.has(text.trim()), text)
      }
    })
  }

  it('keeps its head and its problems where the terminal is too low for all', () => {
    const lines = render(wrong, { columns: 80, rows: 18, paint: plain })
    assert.equal(lines.length, 18)
    assert.match(lines[0] ?? '', /^ha-stack/)
    assert.match(lines.join('\n'), /\n… 7 more lines\n\nproblems\n✖ nobody holds/)
    assert.equal(lines.at(-1), '  bramble exec rpi4 -- uptime')
  })

  it('says how many lines of problems there is no room for', () => {
    const lines = render(wrong, { columns: 80, rows: 10, paint: plain })
    assert.equal(lines.length, 10)
    assert.equal(lines.at(-1), '… 3 more lines')
    for (const rows of [1, 3, 5, 6, 7]) {
      assert.ok(render(wrong, { columns: 80, rows, paint: plain }).length <= Math.max(rows, 5), `${rows}`)
    }
  })

  it('shows in red what is wrong, and in yellow what is not as usual', () => {
    const text = render(wrong, { columns: 80, paint: coloured }).join('\n')
    const red = [...text.matchAll(/\p{Cc}\[31m(.*?)\p{Cc}\[39m/gu)].map(([, word]) => word)
    const yellow = [...text.matchAll(/\p{Cc}\[33m(.*?)\p{Cc}\[39m/gu)].map(([, word]) => word)
    for (const word of [
      '2 problems',
      'no host that was asked',
      'expired',
      'down',
      'no answer',
      'DOWN',
      'unknown',
      '✖',
    ])
      assert.ok(red.includes(word), word)
    assert.deepEqual(yellow, ['drain', '72 °C', 'UP 1/2', 'mirror'])
  })

  it('leaves out what no host has: sensors, mirrors, load balancers', () => {
    const nodes = names.map((name) => node(name, { temperature_c: null, content: null, share: null }))
    const text = render(status({ nodes, balancers: [], services: null }), { columns: 80, paint: plain }).join(
      '\n',
    )
    assert.doesNotMatch(text, /temp|mirror|serves|from|share/)
    assert.match(text, /\nservices {3}no manager told\n/)
  })

  it('takes no order from a host to steer the terminal', () => {
    const nodes = [node('rpi1', { os: '\u001B[2Jroses', kernel: 'a\u001B]0;x\u0007b' })]
    const text = render(status({ nodes }), { columns: 80, paint: plain }).join('\n')
    assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u)
    assert.match(text, /roses, Linux ab,/)
  })
})
