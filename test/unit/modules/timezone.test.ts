import assert from 'node:assert/strict'
import { InputError } from '../../../src/errors.ts'
import { timezone } from '../../../src/modules/timezone.ts'
import { table } from './table.ts'

const make = () => timezone({ name: 'Europe/Berlin' })

describe('timezone', () => {
  table([
    {
      title: 'is content with the zone that is wanted',
      make,
      seen: '../usr/share/zoneinfo/Europe/Berlin\n',
      expect: 'ok',
    },
    {
      title: 'puts the wanted zone in place of another',
      make,
      seen: '/usr/share/zoneinfo/Etc/UTC\n',
      expect: 'change',
      diff: '- Etc/UTC\n+ Europe/Berlin',
      apply: /^timedatectl set-timezone Europe\/Berlin$/,
    },
    { title: 'sets a zone where there is none', make, seen: '', expect: 'change', diff: '- not set' },
    { title: 'says so when it cannot look', make, seen: { code: 1, stdout: '' }, expect: 'error' },
  ])

  it('refuses what is no name of a zone', () => {
    assert.throws(() => timezone({ name: '../etc' }), InputError)
  })
})
