import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { text, words } from './texts.ts'

const shipped = ['inventory/hosts.yml', 'inventory/group_vars/all.yml', 'inventory/lab/hosts.yml'].map(
  (name) => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8'),
)

/** Values and keys that a loader may stumble over, as YAML. */
const odd = [
  ...words(String.raw`
    ~ null true yes 0 -1 1e999 .nan -.inf 0x10 0o17 0644 12345678901234567890123 [] {} [[]] *a <<: ? | > - . .. / # --- ...
    __proto__ constructor toString hasOwnProperty valueOf all ungrouped hosts children vars ' " "\uD83C" "\x00"
    rpi[1:99999999] rpi[1:99999] rpi[9:1] rpi[a:z] rpi[01:010] rpi[1:9:0] rpi[ rpi] r[1:9][1:9][1:9][1:9][1:9]
    10.0.0.1 10.0.0.256 ::1 fe80::1%eth0 2001:db8::1 /etc ~/x {{x}} é 🍇`),
  ...'|\t|\u0000|\uFEFF|\u0085|\u2028|[1, [2, {a: 3}]]|{a: {b: {c: 1}}}|{__proto__: {a: 1}}|{constructor: 1}|? [a]|? {a: b}'.split(
    '|',
  ),
  ...'&a x;&a {b: *a};<<: *a;<<: {a: 1};!!set {a};!!binary aGk=;!!js/function x;!vault |;!secret sudo'.split(
    ';',
  ),
  'x'.repeat(300),
  '['.repeat(200),
  '- '.repeat(200),
]
const value = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...odd) }, { weight: 1, arbitrary: text })

/** The shipped files with some lines, keys and values put in the place of others, doubled, moved and left out. */
const mutated = fc
  .tuple(
    fc.constantFrom(...shipped),
    fc.array(
      fc.tuple(
        fc.constantFrom('key', 'value', 'drop', 'double', 'indent', 'swap', 'insert'),
        fc.nat(200),
        value,
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  )
  .map(([file, edits]) => {
    let lines = file.split('\n').filter((line) => !/^\s*(#|$)/.test(line))
    for (const [edit, at, by] of edits) {
      const place = at % lines.length
      const line = lines[place] ?? ''
      const other = lines[(place * 7 + 3) % lines.length] ?? ''
      if (edit === 'key') lines[place] = line.replace(/[\w.-]+:/, () => `${by}:`)
      if (edit === 'value') lines[place] = line.replace(/:.*$/, () => `: ${by}`)
      if (edit === 'drop') lines = lines.toSpliced(place, 1)
      if (edit === 'double') lines = lines.toSpliced(place, 0, line)
      if (edit === 'indent') lines[place] = `${' '.repeat(at % 7)}${line.trim()}`
      if (edit === 'swap') lines = lines.with(place, other)
      if (edit === 'insert') lines = lines.toSpliced(place, 0, `${/^\s*/.exec(line)?.[0] ?? ''}${by}`)
      if (lines.length === 0) lines = ['']
    }
    return lines.join('\n')
  })

/** Groups in groups in groups, some of them around themselves, with hosts and aliases. */
const name = fc.constantFrom('a', 'b', 'c', 'all', 'managers', '__proto__', 'constructor', 'rpi1')
const nested = fc
  .letrec<{ group: object | null | string }>((tie) => ({
    group: fc.oneof(
      { maxDepth: 5, depthIdentifier: 'group' },
      fc.constantFrom(null, '', {}),
      fc.record(
        {
          hosts: fc.oneof(
            fc.constant(null),
            fc.dictionary(
              fc.oneof(name, value),
              fc.oneof(fc.constant(null), fc.record({ ansible_host: fc.ipV4() })),
              { maxKeys: 3 },
            ),
          ),
          children: fc.dictionary(name, tie('group'), { maxKeys: 4 }),
          vars: fc.oneof(
            fc.constant(null),
            fc.dictionary(fc.oneof(name, value), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 2 }),
          ),
        },
        { requiredKeys: [] },
      ),
    ),
  }))
  .group.map((tree) => JSON.stringify({ all: tree }))

/** What stands for a YAML file: nearly right, oddly nested, or no YAML at all. */
export const yamlFile: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: mutated },
  { weight: 3, arbitrary: nested },
  { weight: 1, arbitrary: fc.array(value, { maxLength: 20 }).map((all) => all.join('\n')) },
  { weight: 1, arbitrary: text },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
)
