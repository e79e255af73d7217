import { FILE_HEADERS_ONLY, formatPatch, structuredPatch, type StructuredPatch } from 'diff'

/** Lines that may differ before a diff is no longer looked for: the time for it grows with their square. */
const MOST_EDITS = 1000

/**
 * A unified diff of a file's text; `undefined` stands for a file that does not exist. Where nearly everything differs,
 * all is shown as replaced.
 *
 * @example unified('/etc/motd', 'old\n', 'new\n').includes('-old\n+new') === true
 */
export function unified(path: string, before: string | undefined, after: string): string {
  const from = before === undefined ? '/dev/null' : path
  const patch =
    structuredPatch(from, path, before ?? '', after, '', '', { context: 3, maxEditLength: MOST_EDITS }) ??
    rewritten(from, path, before ?? '', after)
  // Not trimEnd(): the last line may end in blanks that matter.
  return formatPatch(patch, FILE_HEADERS_ONLY).replace(/\n$/, '')
}

function rewritten(from: string, path: string, before: string, after: string): StructuredPatch {
  const removed = structuredPatch(from, path, before, '')
  const added = structuredPatch(from, path, '', after)
  const [old, now] = [removed.hunks[0], added.hunks[0]]
  const lines = [...(old?.lines ?? []), ...(now?.lines ?? [])]
  const hunk = { oldStart: 1, oldLines: old?.oldLines ?? 0, newStart: 1, newLines: now?.newLines ?? 0, lines }
  return { ...removed, hunks: [hunk] }
}

/**
 * What is and what shall be, one line each, for what is not text.
 *
 * @example replaced('mode 0600', 'mode 0644') === '- mode 0600\n+ mode 0644'
 */
export function replaced(found: string, wanted: string): string {
  return `- ${found}\n+ ${wanted}`
}
