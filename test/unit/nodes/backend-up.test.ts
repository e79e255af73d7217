import { backendUp } from '../../../src/nodes/backend-up.ts'
import { table } from '../modules/table.ts'

const head = '# pxname,svname,status,lastchg,type,check_status,last_chk,'
const csv = (...rows: string[]) => `${[head, 'site,FRONTEND,OPEN,,0,,,', ...rows].join('\n')}\n`
const make = () => backendUp({ server: 'rpi3', healthPort: 8405 })

describe('the wait until HAProxy sends requests to a web server', () => {
  table([
    { title: 'is over when it is up', make, seen: csv('web,rpi3,UP,5,2,L7OK,,'), expect: 'ok' },
    {
      title: 'is over while it is on its way down',
      make,
      seen: csv('web,rpi3,UP 1/2,5,2,L4TOUT,,'),
      expect: 'ok',
    },
    {
      title: 'goes on while it is down, in HAProxy’s own words',
      make,
      seen: csv('web,rpi1,UP,5,2,L7OK,,', 'web,rpi3,DOWN 1/2,5,2,L4CON,Connection refused,'),
      expect: 'wait',
      diff: '- rpi3: DOWN 1/2 (L4CON: Connection refused)\n+ rpi3: UP',
      apply: /^:$/,
    },
    {
      title: 'goes on while HAProxy does not know it',
      make,
      seen: csv('web,rpi1,UP,5,2,L7OK,,'),
      expect: 'wait',
      diff: '- rpi3: not known',
    },
    {
      title: 'goes on while HAProxy does not answer in time',
      make,
      seen: { code: 28, stdout: 'curl: (28) Operation timed out\n' },
      expect: 'wait',
      diff: '- rpi3: HAProxy does not answer',
    },
    {
      title: 'is no wait where no HAProxy runs',
      make,
      seen: { code: 7, stdout: 'curl: (7) Failed to connect\n' },
      expect: 'ok',
    },
  ])
})
