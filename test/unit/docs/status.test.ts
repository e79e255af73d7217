import assert from 'node:assert/strict'
import { laboratory, statusWith } from '../status/cluster.ts'
import { blocks, read } from './project.ts'

/** The keys of a value, and of what is in it; of a list, those of its first item. */
function keysOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(keysOf)
  if (typeof value !== 'object' || value === null) return 'value'
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, keysOf(part)]))
}

describe('the page on the status', () => {
  it('shows the object that is printed, key by key', async () => {
    const [example = ''] = blocks(read('docs/status.md'), 'json')
    const status = statusWith(await laboratory(), {
      rpi3: (text) => text.replace(/^mounted.*\nanswers\n/m, ''),
    })
    // Its one node is one that keeps a mirror.
    const nodes = status.nodes.filter(({ content }) => content !== null)
    assert.deepEqual(keysOf(JSON.parse(example)), keysOf({ ...status, nodes }))
  })
})
