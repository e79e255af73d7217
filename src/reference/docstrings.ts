/** What a docstring tells, apart. */
export interface Docstring {
  description: string
  errors: string
  source: string
  example: string
}

/** An exported function, as far as a reader of the reference wants to know it. */
export interface FunctionDoc extends Docstring {
  name: string
  /** With the type of a destructured parameter instead of its fields. */
  signature: string
}

const docstring = String.raw`\/\*\*((?:(?!\*\/)[^])*)\*\/\n`

/** The exported functions of a source text that have a docstring. */
export function functionsOf(text: string): FunctionDoc[] {
  const functions = new RegExp(`${docstring}export function (\\w+)\\(([^]*?)\\): ([^\\n]+) \\{\\n`, 'g')
  return [...text.matchAll(functions)].map(([, doc = '', name = '', parameters = '', result = '']) => {
    const plain = parameters
      .replace(/^\{[^]*\}:/, 'options:')
      .replaceAll(/\s+/g, ' ')
      .replace(/,? ?$/, '')
      .trim()
    return { name, signature: `${name}(${plain}): ${result}`, ...parseDocstring(doc) }
  })
}

/** The interfaces and types of a source text by name, as they are written; each ends at an empty line. */
export function declarationsOf(text: string): Map<string, string> {
  const declarations = new RegExp(
    `(?:${docstring})?^(?:export )?(?:interface|type) (\\w+)[^]*?\\n(?=\\n|$(?![^]))`,
    'gm',
  )
  return new Map(
    [...text.matchAll(declarations)].map(([all, , name = '']) => [
      name,
      all.replace(/^export /m, '').trimEnd(),
    ]),
  )
}

function parseDocstring(comment: string): Docstring {
  const text = comment
    .split('\n')
    .map((line) => line.replace(/^ ?\* ?/, '').trimEnd())
    .join('\n')
    .trim()
  const [body = '', ...tags] = text.split(/^@/m)
  const tag = (name: string) =>
    tags
      .find((one) => one.startsWith(name))
      ?.slice(name.length)
      .trim() ?? ''
  const [description = '', errors = ''] = body.split(/^Errors(?: \([^)]*\))?: /m)
  return {
    description: description.trim(),
    errors: errors.trim(),
    source: tag('see'),
    example: tag('example'),
  }
}
