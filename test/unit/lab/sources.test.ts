import assert from 'node:assert/strict'
import { aptSources } from '../../../src/lab/sources.ts'

describe('the package sources of a virtual Pi', () => {
  const own = [
    'deb http://deb.debian.org/debian bookworm main',
    'deb http://deb.debian.org/debian bookworm-updates main',
    'deb http://deb.debian.org/debian-security bookworm-security main',
  ]
  const mirror = [
    'deb http://mirror.test/debian bookworm main',
    'deb http://mirror.test/debian bookworm-updates main',
    'deb http://mirror.test/debian-security bookworm-security main',
  ]
  const cases: { title: string; sources: string; expect: string[] }[] = [
    { title: 'are Debian’s own when the computer names none', sources: '', expect: own },
    { title: 'ignore other vendors', sources: 'deb https://packages.test/apt bookworm main', expect: own },
    {
      title: 'ignore what is commented out',
      sources: '# deb http://old.test/debian bookworm main',
      expect: own,
    },
    {
      title: 'are the computer’s mirror in the one-line format',
      sources: [
        'deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian/ bookworm main',
        'deb http://mirror.test/debian-security bookworm-security main',
      ].join('\n'),
      expect: mirror,
    },
    {
      title: 'are the computer’s mirror in the deb822 format',
      sources: [
        'Types: deb\nURIs: http://mirror.test/debian\nSuites: bookworm\n',
        'Types: deb\nURIs: http://mirror.test/debian-security/\nSuites: bookworm-security\n',
      ].join('\n'),
      expect: mirror,
    },
  ]
  for (const { title, sources, expect } of cases) {
    it(title, () => {
      assert.deepEqual(aptSources(sources), expect)
    })
  }
})
