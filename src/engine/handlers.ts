import { createHash } from 'node:crypto'
import { InputError } from '../errors.ts'
import { batched, type Batch } from '../playbook/batch.ts'
import { applyAs } from '../playbook/become.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import { resource, type Handler, type Resource } from '../playbook/resource.ts'

const directory = '/var/lib/bramble/pending'

/** All marks of a host are looked for at once: a line for each. */
const MARKS: Batch<string> = {
  merge: (marks) =>
    sh`for mark in ${marks}; do if [ -e "$mark" ]; then echo pending; else echo done; fi; done`,
  split({ code, stdout }, marks) {
    const told = stdout.trimEnd().split('\n')
    return told.length === marks.length ? told.map((line) => ({ code, stdout: line })) : undefined
  },
}

/**
 * A handler as a resource: it is pending while its mark stands on the host. The mark is set before the change that
 * notifies it and taken away by its success, so a run that is cut off in between leaves the work to the next one.
 */
export function handlerResource(handler: Handler): Resource {
  const mark = markOf(handler)
  const { becomeUser } = handler
  const apply = becomeUser === undefined ? handler.apply : applyAs(becomeUser, handler.apply)
  return resource({
    title: `handler: ${handler.title}`,
    probe: batched(MARKS, mark, MARKS.merge([mark])),
    plan: (seen) =>
      seen.stdout.trim() === 'pending'
        ? { diff: `+ ${handler.title}`, apply: lines(apply, sh`rm -f ${mark}`) }
        : undefined,
  })
}

/** Sets the marks of a change's handlers; synced, since a power cut must not lose a restart. */
export function markPending(handlers: readonly Handler[]): Sh[] {
  return handlers.map((handler) => {
    const mark = markOf(handler)
    return sh`mkdir -p ${directory}; : >${mark}; sync ${mark}`
  })
}

/**
 * The handlers that resources of a host name, each once, in the order in which they are first named.
 *
 * Errors: InputError for two that have one title, of which one would stand for the other.
 */
export function handlersOf(resources: readonly Resource[]): Handler[] {
  const byTitle = new Map<string, Handler>()
  for (const { notify } of resources) {
    for (const handler of notify) {
      const { title, apply, becomeUser } = handler
      const before = byTitle.get(title)
      if (!before) byTitle.set(title, handler)
      else if (before.apply.text !== apply.text || before.becomeUser !== becomeUser) {
        throw new InputError(`two handlers are called "${title}"`, {
          found: [before, handler].map((one) => one.apply.text).join('\n'),
          next: 'Give each a title of its own: by that a host remembers what is still to be done.',
        })
      }
    }
  }
  return [...byTitle.values()]
}

function markOf(handler: Handler): string {
  return `${directory}/${createHash('sha256').update(handler.title).digest('hex').slice(0, 16)}`
}
