import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { renderTemplate, template, type Variables } from '../../../src/modules/template.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { converge, ME, SHELLS, temporary } from './local.ts'

const render = (text: string, variables: Variables = {}): string =>
  renderTemplate({ name: 'templates/x.ejs', text }, variables)

describe('renderTemplate', () => {
  const secret = new Secret('pa<ss>')
  class Account {
    readonly password = secret
  }
  const good: [string, string, Variables, string][] = [
    ['puts in a value', 'a <%= name %>\n', { name: 'b' }, 'a b\n'],
    ['escapes nothing', '<%= name %><%- name %>', { name: `<&'">` }, `<&'"><&'">`],
    [
      'loops',
      '<% for (const one of all) { -%>\n<%= one.name %>\n<% } -%>\n',
      { all: [{ name: 'a' }, { name: 'b' }] },
      'a\nb\n',
    ],
    ['prints numbers and booleans', '<%= a %> <%= b %>', { a: 0, b: false }, '0 false'],
    ['reveals a secret', '<%= a.b %> <%- a.b %>', { a: { b: secret } }, 'pa<ss> pa<ss>'],
    ['reveals a secret inside an expression', `<%= 'x:' + list[0] %>`, { list: [secret] }, 'x:pa<ss>'],
    [
      'reveals a secret of an object of some class',
      '<%- account.password %>',
      { account: new Account() },
      'pa<ss>',
    ],
    [
      'bears a variable whose name is no JavaScript name',
      `<%= locals['a-b'] %>`,
      { 'a-b': 'c', class: 'd' },
      'c',
    ],
    ['keeps a literal tag', '<%%- a %>', {}, '<%- a %>'],
  ]
  for (const [title, text, variables, wanted] of good) {
    it(title, () => assert.equal(render(text, variables), wanted))
  }

  const bad: [string, string, Variables, RegExp, string][] = [
    [
      'a variable that is not given',
      'a\n<%= missing %>\n',
      { name: 'b' },
      /no variable missing/,
      'templates/x.ejs:2',
    ],
    [
      'a variable that is not given, in a raw tag',
      '<%- missing %>',
      {},
      /no variable missing/,
      'templates/x.ejs:1',
    ],
    [
      'a property that is not there',
      '\n\n<%= host.adress %>',
      { host: {} },
      /the value is undefined/,
      'templates/x.ejs:3',
    ],
    ['a property of nothing', '\n<%= host.a.b %>', { host: {} }, /Cannot read/, 'templates/x.ejs:2'],
    ['an object', '<%= host %>', { host: {} }, /an object/, 'templates/x.ejs:1'],
    ['a list', '<%= hosts %>', { hosts: [] }, /a list/, 'templates/x.ejs:1'],
    ['JavaScript that is not valid', '<% if ( { %>', {}, /Unexpected/, 'templates/x.ejs'],
    ['a tag that does not end', '<%= a', { a: 1 }, /matching close tag/, 'templates/x.ejs'],
    [
      'what it throws that is no error',
      '\n<% throw Object.create(null) %>',
      {},
      /null prototype/,
      'templates/x.ejs',
    ],
    ['a `return`, which would leave nothing to write', '<% return 5 %>', {}, /return/, 'templates/x.ejs'],
    ['a loop that does not end', '<% for (;;) {} %>', {}, /not done after 5 s/, 'templates/x.ejs'],
    ['an include', `\n<%= include('/etc/passwd') %>`, {}, /cannot include/, 'templates/x.ejs:2'],
  ]
  for (const [title, text, variables, message, at] of bad) {
    it(`refuses ${title}, and says where it is`, () => {
      assert.throws(
        () => render(text, variables),
        (error) => {
          assert.ok(error instanceof InputError)
          assert.match(error.message, message)
          assert.equal(error.details.at, at)
          assert.ok(error.details.expected && error.details.found && error.details.next)
          return true
        },
      )
    })
  }
})

describe('a template’s name', () => {
  it('may hold what ends a line in JavaScript', () => {
    assert.equal(renderTemplate({ name: 'x\u2028) } {', text: '<%= a %>' }, { a: 1 }), '1')
  })
})

describe('template', () => {
  const source = { name: 'templates/x.ejs', text: 'password <%= password %>\nname <%= name %>\n' }

  it('shows a diff when no secret went into it', () => {
    const one = template({
      path: '/etc/x',
      source,
      variables: { name: 'a', password: 'b', unused: new Secret('other') },
    })
    assert.match(one.plan({ code: 0, stdout: ':absent\n' })?.diff ?? '', /\+password b/)
  })

  it('shows neither the new secret nor the old one', () => {
    const one = template({
      path: '/etc/x',
      source,
      variables: { name: 'a', password: new Secret('new-one') },
    })
    const diff = one.plan({ code: 0, stdout: ':there\n81a4 0 0 root root 8\nold-one\n' })?.diff ?? ''
    assert.doesNotMatch(diff, /one/)
  })

  for (const shell of SHELLS) {
    describe(`on this machine, with ${shell}`, () => {
      const directory = temporary()

      it('lands on the disk with the secret in it, and is clean then', () => {
        const path = join(directory.path, 'file')
        converge(
          template({ ...ME, path, source, variables: { name: '$(id)', password: new Secret("it's") } }),
          shell,
        )
        assert.equal(readFileSync(path, 'utf8'), "password it's\nname $(id)\n")
      })
    })
  }
})
