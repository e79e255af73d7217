import assert from 'node:assert/strict'
import { InputError } from '../../../src/errors.ts'
import { group } from '../../../src/modules/group.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { user } from '../../../src/modules/user.ts'
import { plan, SHELLS } from './local.ts'
import { table } from './table.ts'

const make = () => user({ name: 'pi', uid: 1000, groups: ['docker', 'users'], shell: '/bin/bash' })
const withPassword = () => user({ name: 'pi', passwordHash: new Secret('$6$salt$thistle') })
const makeGroup = () => group({ name: 'docker', gid: 999, system: true })

describe('user', () => {
  const entry = 'pi:x:1000:100:,,,:/home/pi:/bin/bash\n'
  const groups = 'docker:x:999:a,pi\nusers:x:100:\n'
  table([
    {
      title: 'is content when all is so, its primary group included',
      make,
      seen: entry + groups,
      expect: 'ok',
    },
    {
      title: 'is made with all that was asked',
      make,
      seen: `\n${groups}`,
      expect: 'change',
      diff: '+ user pi, uid 1000, shell /bin/bash, in docker, users',
      apply: /^useradd -m -u 1000 -s \/bin\/bash -G docker,users pi$/,
    },
    {
      title: 'is made without a home for the system',
      make: () => user({ name: 'app', system: true }),
      seen: '\n',
      expect: 'change',
      apply: /^useradd -r +app$/,
    },
    {
      title: 'joins only the groups that it lacks',
      make,
      seen: `${entry}docker:x:999:pirate\nusers:x:100:\n`,
      expect: 'change',
      diff: '- user pi: not in docker',
      apply: /^usermod -aG docker pi$/,
    },
    {
      title: 'gets its shell',
      make,
      seen: entry.replace('bash', 'sh') + groups,
      expect: 'change',
      apply: /^usermod -s \/bin\/bash pi$/,
    },
    {
      title: 'gets its primary group',
      make: () => user({ name: 'pi', group: 'docker' }),
      seen: entry + groups,
      expect: 'change',
      apply: /^usermod -g docker pi$/,
    },
    {
      title: 'is removed',
      make: () => user({ name: 'pi', state: 'absent' }),
      seen: entry,
      expect: 'change',
      apply: /^userdel pi$/,
    },
    {
      title: 'is content when it is gone',
      make: () => user({ name: 'pi', state: 'absent' }),
      seen: '',
      expect: 'ok',
    },
    {
      title: 'is content with its password',
      make: withPassword,
      seen: `${entry}so\n`,
      expect: 'ok',
    },
    {
      title: 'gets its password, which no diff shows',
      make: withPassword,
      seen: `${entry}other\n`,
      expect: 'change',
      diff: /^- user pi: another password\n\+ user pi: password \*\*\*$/,
      apply: /^printf '%s:%s\\n' pi '\$6\$salt\$thistle' \| chpasswd -e$/,
    },
    {
      title: 'is made with its password',
      make: withPassword,
      seen: '\nother\n',
      expect: 'change',
      diff: /^\+ user pi, password \*\*\*$/,
      apply: /^useradd -m +pi\nprintf .* \| chpasswd -e$/,
    },
    { title: 'says so when it cannot look', make, seen: { code: 1, stdout: '' }, expect: 'error' },
  ])

  it('refuses a name that is none', () => assert.throws(() => user({ name: '-r' }), InputError))

  for (const shell of SHELLS) {
    it(`finds root, and does not find whom there is not, with ${shell}`, () => {
      assert.equal(plan(user({ name: 'root', uid: 0, groups: ['root'], home: '/root' }), shell), undefined)
      assert.match(
        plan(user({ name: 'bramble-none', groups: ['bramble-none'] }), shell)?.diff ?? '',
        /^\+ user/,
      )
      const unlike = user({ name: 'root', passwordHash: new Secret('$6$*[?') })
      assert.match(plan(unlike, shell)?.diff ?? '', /another password/)
      assert.equal(plan(user({ name: 'bramble-none', state: 'absent' }), shell), undefined)
    })
  }
})

describe('group', () => {
  table([
    { title: 'is content when it is there', make: makeGroup, seen: 'docker:x:999:pi\n', expect: 'ok' },
    {
      title: 'is made',
      make: makeGroup,
      seen: '',
      expect: 'change',
      diff: '+ group docker 999',
      apply: /^groupadd -r -g 999 docker$/,
    },
    {
      title: 'gets its number',
      make: makeGroup,
      seen: 'docker:x:1:\n',
      expect: 'change',
      diff: '- group docker 1\n+ group docker 999',
      apply: /^groupmod -g 999 docker$/,
    },
    {
      title: 'may have any number if none was asked',
      make: () => group({ name: 'docker' }),
      seen: 'docker:x:1:\n',
      expect: 'ok',
    },
    {
      title: 'is removed',
      make: () => group({ name: 'docker', state: 'absent' }),
      seen: 'docker:x:1:\n',
      expect: 'change',
      apply: 'groupdel docker',
    },
    { title: 'says so when it cannot look', make: makeGroup, seen: { code: 3, stdout: '' }, expect: 'error' },
  ])

  it('refuses a name or a number that is none', () => {
    assert.throws(() => group({ name: 'a b' }), InputError)
    assert.throws(() => group({ name: 'a', gid: 1.5 }), InputError)
  })

  it('finds root', () => assert.equal(plan(group({ name: 'root', gid: 0 })), undefined))
})
