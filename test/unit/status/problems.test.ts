import assert from 'node:assert/strict'
import { BrambleError, ConnectionError } from '../../../src/errors.ts'
import type { Inventory } from '../../../src/inventory/index.ts'
import type { SwarmNode } from '../../../src/modules/swarm-nodes.ts'
import { stamp } from '../../../src/status/stamp.ts'
import { info } from '../modules/swarm-fixture.ts'
import { laboratory, NOW, printed, statusWith, type Answers, type When } from './cluster.ts'

interface Case {
  title: string
  answers: Answers
  now?: number
  /** Each problem, the worst first: what it is, then its commands. */
  problems: [what: RegExp | string, ...commands: (RegExp | string)[]][]
}

const day = 86_400_000
const silent = 'reason=the share does not answer'
const vip = /^.* inet 10\.77\.0\.200.*\n/m
const held = '2: eth0    inet 10.77.0.200/32 scope global eth0\n'
const log = 'bramble exec rpi1 -- docker service logs --tail 20 ha-stack_keepalived'
const dead = new ConnectionError('pi@10.77.0.13:22 cannot be reached', {
  found: 'connect ETIMEDOUT',
  next: 'Is it switched on?',
})
const clock = /^clock \d+/m
/** What a host printed at another time, as if it had been now. */
const then = (name: string, when: When) => (well: string) =>
  printed(name, when).replace(clock, clock.exec(well)?.[0] ?? '')
/** What a manager says of a node, with changes. */
const node = (name: string, change: (node: SwarmNode) => void) => (text: string) =>
  text.replace(/^\[\{.*"Description".*$/m, (line) => {
    const nodes = JSON.parse(line) as SwarmNode[]
    for (const one of nodes) if (one.Description.Hostname === name) change(one)
    return JSON.stringify(nodes)
  })
const down = (one: SwarmNode) => {
  one.Status.State = 'down'
}

/** A host that its own daemon has to be asked about. */
const member = (swarm: Parameters<typeof info>[0]) => (text: string) =>
  text.replace(/-----BEGIN[^]*(?=\n--- member)/, info(swarm))

const cases: Case[] = [
  { title: 'nothing, when all is well', answers: {}, problems: [] },
  {
    title: 'nobody holds the virtual IP',
    answers: { rpi1: (text) => text.replace(vip, '') },
    problems: [['nobody holds the virtual IP 10.77.0.200: the site cannot be reached there', log]],
  },
  {
    title: 'two hold the virtual IP, and one is told to let go',
    answers: { rpi2: (text) => text.replace('mounted\n', `${held}mounted\n`) },
    problems: [
      [
        'the virtual IP 10.77.0.200 is on rpi1 and rpi2 at the same time',
        'bramble exec rpi2 -- ip address del 10.77.0.200/32 dev eth0',
        log,
      ],
    ],
  },
  {
    title: 'a machine that is no load balancer has the virtual IP',
    answers: { rpi3: (text) => text.replace('mounted\n', `${held}mounted\n`) },
    problems: [
      [/is on rpi3, which is no load balancer/, 'bramble exec rpi3 -- ip address show to 10.77.0.200'],
    ],
  },
  {
    title: 'the holder of the virtual IP is gone, and nobody has taken over',
    answers: { rpi1: dead },
    problems: [
      [
        /^no host that answers holds the virtual IP/,
        'bramble exec rpi2 -- docker service logs --tail 20 ha-stack_keepalived',
      ],
      ['rpi1: pi@10.77.0.13:22 cannot be reached: connect ETIMEDOUT', 'bramble exec rpi1 -- uptime'],
    ],
  },
  {
    title: 'nothing of hosts that nobody asked',
    answers: { rpi1: null, rpi2: null },
    problems: [],
  },
  {
    title: 'a host that cannot be reached, and not what follows from that',
    answers: {
      rpi3: dead,
      rpi1: (text) => node('rpi3', down)(text).replace(/^(web,rpi3.*),UP,/m, '$1,DOWN,'),
    },
    problems: [[/^rpi3: pi@10\.77\.0\.13:22 cannot be reached/, 'bramble exec rpi3 -- uptime']],
  },
  {
    title: 'a host that is reached and lets nobody be root',
    answers: { rpi3: new BrambleError('cannot become root', { stderr: 'sudo: a password is required\n' }) },
    problems: [['rpi3: cannot become root: sudo: a password is required', 'bramble exec rpi3 -- uptime']],
  },
  {
    title: 'no web server is left',
    answers: { rpi2: (text) => text.replaceAll(/^(web,rpi.*),UP,/gm, '$1,DOWN,') },
    problems: [
      [
        'HAProxy on rpi2 has no web server left: it answers 503',
        'bramble exec webservers -- curl -sS http://127.0.0.1:8080/healthz',
      ],
    ],
  },
  {
    title: 'the swarm has lost its majority, to Docker that does not run',
    answers: { rpi1: then('rpi1', 'quorum'), rpi2: then('rpi2', 'quorum'), rpi3: then('rpi3', 'quorum') },
    problems: [
      [
        'the swarm has no leader: too few of its managers reach each other',
        'bramble apply playbooks/docker.ts -l rpi2,rpi3',
      ],
      ['Docker does not run on rpi2', 'bramble apply playbooks/docker.ts -l rpi2'],
      ['Docker does not run on rpi3', 'bramble apply playbooks/docker.ts -l rpi3'],
    ],
  },
  {
    title: 'the swarm has lost its majority a moment ago',
    answers: { rpi1: then('rpi1', 'mute'), rpi2: then('rpi2', 'quorum'), rpi3: dead },
    problems: [
      [/^the swarm has no leader/, 'bramble apply playbooks/docker.ts -l rpi2'],
      [/^rpi3: /, /uptime$/],
      ['Docker does not run on rpi2', /docker\.ts/],
    ],
  },
  {
    title: 'the swarm says nothing, and who was not asked may be well',
    answers: { rpi1: then('rpi1', 'mute'), rpi2: null, rpi3: null },
    problems: [
      ['the swarm: it does not answer in time', 'bramble exec rpi1 -- docker node ls'],
      [/^rpi2 is DOWN for HAProxy on rpi1/, /healthz$/],
      [/^rpi3 is DOWN for HAProxy on rpi1/, /healthz$/],
    ],
  },
  {
    title: 'the swarm has lost its majority, to machines that are gone',
    answers: { rpi1: then('rpi1', 'quorum'), rpi2: dead, rpi3: dead },
    problems: [
      [
        'the swarm has no leader: too few of its managers reach each other',
        'bramble exec rpi1 -- docker swarm init --force-new-cluster --advertise-addr 10.77.0.11',
      ],
      [/^rpi2: /, 'bramble exec rpi2 -- uptime'],
      [/^rpi3: /, 'bramble exec rpi3 -- uptime'],
    ],
  },
  {
    title: 'Docker hangs, and that alone is told of the host',
    answers: {
      rpi2: (text) => text.replace(/^OK\n[^]*\n--- docker 0/m, '\n--- docker 28'),
    },
    problems: [['Docker runs on rpi2, and gives no answer', 'bramble exec rpi2 -- systemctl restart docker']],
  },
  {
    title: 'a node that gets no tasks',
    answers: { rpi1: node('rpi2', (one) => (one.Spec.Availability = 'drain')) },
    problems: [
      [
        'rpi2 is set to drain: it gets no tasks',
        'bramble exec rpi1 -- docker node update --availability active rpi2',
      ],
    ],
  },
  {
    title: 'a node that an interrupted upgrade has taken out of service, with its label for the virtual IP',
    answers: {
      rpi1: node('rpi2', (one) => {
        one.Spec.Availability = 'drain'
        one.Spec.Labels = { 'bramble.drained': 'true' }
      }),
    },
    problems: [['rpi2 has been taken out of service: it gets no tasks', 'bramble apply playbooks/site.ts']],
  },
  {
    title: 'a load balancer that an interruption has left without its label for the virtual IP',
    answers: {
      rpi1: node('rpi2', (one) => {
        one.Spec.Labels = { 'bramble.loadbalancer': 'true', 'bramble.webserver': 'true' }
      }),
    },
    problems: [
      [
        'rpi2 lacks bramble.vip=true in the swarm, and so what runs where that is',
        'bramble apply playbooks/site.ts',
      ],
    ],
  },
  {
    title: 'a node that is down for the managers only',
    answers: { rpi1: node('rpi3', down) },
    problems: [
      [
        /^the managers say that rpi3 is down, though/,
        'bramble exec rpi3 -- journalctl -u docker -n 30 --no-pager',
      ],
    ],
  },
  {
    title: 'a manager that the others do not reach',
    answers: {
      rpi1: node('rpi2', (one) => (one.ManagerStatus = { Reachability: 'unreachable' })),
    },
    problems: [
      ['the other managers do not reach rpi2', 'bramble exec rpi2 -- journalctl -u docker -n 30 --no-pager'],
    ],
  },
  {
    title: 'a node that was set up anew, and the entry that it left behind',
    answers: {
      rpi1: (text) =>
        text.replace(
          /\{"ID":"vzn1ciqtlltlau55w34a11tli","Spec"/,
          '{"ID":"ghost","Spec":{"Role":"worker","Availability":"active"},"Status":{"State":"down"},"Description":{"Hostname":"rpi3"}},$&',
        ),
    },
    problems: [
      [
        'the swarm has an entry rpi3 (ghost, down) that is none of its machines',
        'bramble exec rpi1 -- docker node rm --force ghost',
      ],
    ],
  },
  {
    title: 'a machine in another swarm, and the entry of its old self as a manager',
    answers: {
      rpi1: node('rpi3', (one) => {
        one.ID = 'another'
        down(one)
      }),
    },
    problems: [
      [
        'rpi3 is in another swarm',
        'bramble exec rpi3 -- docker swarm leave --force',
        'bramble apply playbooks/swarm.ts',
      ],
      [
        'the swarm has an entry rpi3 (another, down) that is none of its machines',
        `bramble exec rpi1 -- sh -c 'docker node demote another && docker node rm --force another'`,
      ],
    ],
  },
  {
    title: 'a machine that has left the swarm, and the entry that it left behind',
    answers: { rpi1: node('rpi3', down), rpi3: member({ LocalNodeState: 'inactive' }) },
    problems: [
      ['rpi3 is not in the swarm', 'bramble apply playbooks/swarm.ts'],
      [/^the swarm has an entry rpi3 \(vzn1.*, down\)/, /docker node demote vzn1/],
    ],
  },
  {
    title: 'a manager that waits to be unlocked',
    answers: { rpi3: member({ LocalNodeState: 'locked', NodeID: 'vzn1ciqtlltlau55w34a11tli' }) },
    problems: [
      ['the swarm of rpi3 is locked', `bramble exec rpi3 -- sh -c 'echo KEY | docker swarm unlock'`],
    ],
  },
  {
    title: 'a membership that has gone wrong',
    answers: {
      rpi3: member({
        LocalNodeState: 'error',
        NodeID: 'vzn1ciqtlltlau55w34a11tli',
        Error: 'no way in',
      }),
    },
    problems: [['the membership of rpi3 in the swarm is in state error: no way in', /journalctl -u docker/]],
  },
  {
    title: 'no swarm at all',
    answers: Object.fromEntries(
      ['rpi1', 'rpi2', 'rpi3'].map((name) => [
        name,
        (text: string) =>
          member({ LocalNodeState: 'inactive' })(text).replace(
            /^\[.*$/gm,
            '{"message":"This node is not a swarm manager."}',
          ),
      ]),
    ),
    problems: [['no manager is in a swarm', 'bramble apply playbooks/swarm.ts']],
  },
  {
    title: 'a service that does not run on a node, with the error',
    answers: { rpi1: then('rpi1', 'lacking') },
    problems: [
      [
        /^service nginx: 2 of 3 tasks run; rpi2: .*rejected: "No such image: bramble\/nginx:lab"$/,
        'bramble apply playbooks/stack.ts',
      ],
      [/^rpi2 is DOWN for HAProxy on rpi1: L4CON: Connection refused$/, /healthz$/],
    ],
  },
  {
    title: 'an update that failed',
    answers: { rpi1: then('rpi1', 'update') },
    problems: [
      [
        /^service nginx: 3 of 3 tasks run; update rollback_paused: update paused due to/,
        'bramble apply playbooks/stack.ts',
      ],
    ],
  },
  {
    title: 'a stack that is not there',
    answers: { rpi1: (text) => text.replace(/^\[.*"ha-stack_haproxy".*$/m, '[]') },
    problems: [['the stack ha-stack is not deployed', 'bramble apply playbooks/stack.ts']],
  },
  {
    title: 'HAProxy that does not answer',
    answers: {
      rpi2: (text) =>
        text.replace(/^# pxname[^]*\n--- haproxy 0/m, 'curl: (28) Operation timed out\n\n--- haproxy 28'),
    },
    problems: [
      [
        'HAProxy on rpi2 tells nothing: Operation timed out',
        'bramble exec rpi2 -- docker ps --all --filter name=haproxy',
      ],
    ],
  },
  {
    title: 'HAProxy of an older template',
    answers: {
      rpi2: (text) => text.replace(/^# pxname[^]*\n--- haproxy 0/m, 'curl: (22) 503\n\n--- haproxy 22'),
    },
    problems: [[/HAProxy on rpi2 tells nothing: it has no statistics/, 'bramble apply playbooks/stack.ts']],
  },
  {
    title: 'a web server that is down for both load balancers, once',
    answers: Object.fromEntries(
      ['rpi1', 'rpi2'].map((name) => [
        name,
        (text: string) => text.replace(/^(web,rpi3.*),UP,(.*),L7OK,200/m, '$1,DOWN,$2,L7TOUT,'),
      ]),
    ),
    problems: [
      [
        'rpi3 is DOWN for HAProxy on rpi1, rpi2: L7TOUT',
        'bramble exec rpi3 -- curl -sS http://127.0.0.1:8080/healthz',
      ],
    ],
  },
  {
    title: 'a web server that a load balancer does not know, and one that is no more',
    answers: { rpi2: (text) => text.replace(/^web,rpi3,/m, 'web,rpi9,') },
    problems: [
      ['HAProxy on rpi2 does not know the web server rpi3', 'bramble apply playbooks/stack.ts'],
      [
        'HAProxy on rpi2 has a server rpi9 that is no web server of the inventory',
        'bramble apply playbooks/stack.ts',
      ],
    ],
  },
  {
    title: 'the share, in each way that it may fail',
    answers: {
      rpi1: (text) => text.replace('mounted\nanswers\n', 'mounted\n'),
      rpi2: (text) => text.replace('mounted\nanswers\n', 'mounted\nfails stat: x: Stale file handle\n'),
      rpi3: (text) => text.replace('mounted\nanswers\n', ''),
    },
    problems: [
      ['the share is not mounted on rpi3', 'bramble apply playbooks/nfs.ts -l rpi3'],
      ['the share does not answer on rpi1', 'bramble exec rpi3 -- systemctl status nfs-server'],
      [
        /^the share on rpi2 fails: .*Stale file handle$/,
        'bramble exec rpi2 -- umount -l /srv/bramble/share',
        'bramble apply playbooks/nfs.ts -l rpi2',
      ],
    ],
  },
  {
    title: 'the mirror is served: that the share is away is told once',
    answers: {
      rpi2: (text) =>
        text
          .replace('mounted\nanswers\n', 'mounted\n')
          .replace('source=nfs', `source=mirror\ncontent ${silent}`),
      rpi3: (text) =>
        text.replace('mounted\nanswers\n', '').replace('source=nfs', `source=mirror\ncontent ${silent}`),
    },
    problems: [
      [
        `rpi2, rpi3: the mirror is served since ${stamp('2026-11-24T18:51:32Z')}: the share does not answer`,
        'bramble exec rpi3 -- systemctl status nfs-server',
      ],
    ],
  },
  {
    title: 'the mirror is served because the share is empty',
    answers: {
      rpi3: (text) => text.replace('source=nfs', 'source=mirror\ncontent reason=the share is empty, and …'),
    },
    problems: [
      [
        /^rpi3: the mirror is served since .*: the share is empty, and …$/,
        'bramble exec rpi3 -- ls -A /srv/nfs/share',
        'bramble exec rpi3 -- rm /srv/bramble/share.mirror/current',
      ],
    ],
  },
  {
    title: 'a mirror that cannot be refreshed',
    answers: {
      rpi3: (text) =>
        text.replace(/refreshed=\d+/, 'refreshed=1795540000\ncontent error=the share has 9000 MB'),
    },
    problems: [
      [
        'the mirror on rpi3 cannot be refreshed: the share has 9000 MB',
        'bramble exec rpi3 -- journalctl -n 20 -u bramble-content',
      ],
    ],
  },
  {
    title: 'a mirror that is old',
    answers: { rpi3: (text) => text.replace(/refreshed=\d+/, 'refreshed=1795540000') },
    problems: [
      [
        /^the mirror on rpi3 has not been refreshed/,
        'bramble exec rpi3 -- systemctl status bramble-content',
        'bramble exec rpi3 -- journalctl -n 20 -u bramble-content',
      ],
    ],
  },
  {
    title: 'certificates that Docker has not renewed',
    answers: {
      rpi1: null,
      rpi2: null,
      rpi3: (text) => text.replace(/^clock.*\n/m, '').replace(/refreshed=\d+/, ''),
    },
    now: NOW + 80 * day,
    problems: [
      [
        /^the certificate of rpi3 .* was not renewed: it expires on 2027-02-22$/,
        'bramble exec rpi3 -- systemctl restart docker',
      ],
    ],
  },
  {
    title: 'certificates that have expired',
    answers: {
      rpi1: null,
      rpi2: null,
      rpi3: (text) => text.replace(/^clock.*\n/m, '').replace(/refreshed=\d+/, ''),
    },
    now: NOW + 91 * day,
    problems: [
      [/^the certificate of rpi3 .* has expired on 2027-02-22$/, 'bramble apply playbooks/swarm.ts'],
    ],
  },
  {
    title: 'a host that is joining and reaches nobody',
    answers: {
      rpi3: member({ LocalNodeState: 'pending', NodeID: '', NodeAddr: '10.77.0.13' }),
    },
    problems: [
      ['rpi3 is joining a swarm, and reaches none of its managers', 'bramble apply playbooks/swarm.ts'],
    ],
  },
  {
    title: 'a host that has another address now',
    answers: {
      rpi3: (text) => text.replace('"AdvertiseAddr":"10.77.0.13:2377"', '"AdvertiseAddr":"10.77.0.33:2377"'),
    },
    problems: [
      [
        'rpi3 has the address 10.77.0.33 in the swarm, and 10.77.0.13 in the inventory',
        'bramble reset rpi3',
        'bramble apply playbooks/site.ts',
      ],
    ],
  },
  {
    title: 'a machine that is short of disk, time and air',
    answers: {
      rpi3: (text) =>
        text
          .replace(/disk_free_kb \d+/, 'disk_free_kb 512000')
          .replace(clock, 'clock 1795546000\nmillidegrees 83100'),
    },
    problems: [
      [
        'rpi3 has 500 MB of its disk free, less than 1024',
        `bramble exec rpi3 -- sh -c 'du -xm / | sort -n | tail -n 20'`,
      ],
      [/^the clock of rpi3 is 903 s behind$/, 'bramble exec rpi3 -- timedatectl set-ntp true'],
      ['rpi3 is 83.1 °C hot, and slows down', `bramble exec rpi3 -- sh -c 'top -bn1 | head -n 15'`],
    ],
  },
]

describe('the problems of a cluster', () => {
  let inventory: Inventory
  before(async () => {
    inventory = await laboratory()
  })

  for (const { title, answers, now = NOW, problems } of cases) {
    it(`are: ${title}`, () => {
      const status = statusWith(inventory, answers, { now })
      const found = status.problems.map(({ what, commands }) => [what, ...commands])
      assert.equal(status.ok, problems.length === 0)
      assert.equal(found.length, problems.length, JSON.stringify(found, null, 2))
      problems.forEach((wanted, index) => {
        assert.equal(found[index]?.length, wanted.length)
        wanted.forEach((one, part) => {
          const text = found[index]?.[part] ?? ''
          if (typeof one === 'string') assert.equal(text, one)
          else assert.match(text, one)
        })
      })
    })
  }

  it('are a swarm without a certificate that is valid, and how there will be a new one', () => {
    const { problems } = statusWith(inventory, {}, { now: NOW + 91 * day })
    const expired = problems.filter(({ what }) => what.includes('has expired'))
    assert.equal(expired.length, 3)
    for (const { commands } of expired) {
      assert.deepEqual(commands, [
        'bramble exec managers,workers -- docker swarm leave --force',
        'bramble apply playbooks/site.ts',
      ])
    }
  })

  for (const [title, mirror, age] of [
    ['is not old before the third refresh is missed', '{ refresh_interval: 86400 }', 2.9 * day],
    ['is not missed where none is wanted', '{ max_size_mb: 0 }', 40 * day],
  ] as const) {
    it(`are none when a mirror ${title}`, async () => {
      const refreshed = `refreshed=${Math.round((NOW - age) / 1000)}`
      const answers = { rpi3: (text: string) => text.replace(/refreshed=\d+/, refreshed) }
      assert.deepEqual(statusWith(await laboratory(mirror), answers).problems, [])
      assert.match(statusWith(inventory, answers).problems[0]?.what ?? '', /rpi3 has not been refreshed/)
    })
  }

  it('come with commands for the inventory that was named', () => {
    const { problems } = statusWith(inventory, { rpi3: dead }, { folder: 'inventory/my lab' })
    assert.deepEqual(problems[0]?.commands, [`bramble exec rpi3 -i 'inventory/my lab' -- uptime`])
    assert.equal(problems[0]?.next, 'Is it switched on?')
  })
})
