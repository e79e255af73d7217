import * as fc from 'fast-check'

/** Words of a text, whatever they hold but blanks and line breaks. */
export function words(text: string): string[] {
  return text.split(/[ \n]+/).filter((word) => word !== '')
}

const signs = String.raw`
  ' '' " "" ${'`'} ${'`id`'} $ $$ $(id) ${'${'} ${'${x'} $HOME $((1 $@ $0 $& \ \\ \n \0 \c \' % %s %% %n %d ! !! #
  ~ ~root - -- -n -e -rf --help * /* ? [a-z] {a,b} ( ) < > | & ; ;; = a=b : , . .. EOF END <<END a true 0 0755 null
  é ß 中 🍇 👩‍👩‍👧 <% %> {mark} {{ --- +++ @@`
const blanks = ' |  |\t|\n|\n\n|\r|\r\n|\v|\f|\b|\u0001|\u007F|\u001B[31m|# x|<%= x %>|--- |+++ |@@ '
const rare = [
  '\u0080',
  '\u0081',
  '\u0088',
  '\u00A0',
  '\u2028',
  '\u3000',
  '\uFEFF',
  '\uFFFF',
  'e\u0301',
  '\u{10FFFF}',
  '\u202E',
]

/** Pieces of text that some program on the way could take for its own. */
const pieces = ['', ...words(signs), ...blanks.split('|'), ...rare]

/** Any text without NUL: of all characters there are, of letters and signs, and of what shells stumble over. */
export const text = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((all) => all.join('')),
    },
    {
      weight: 2,
      arbitrary: fc.string({
        unit: fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 2 })),
      }),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 200 }) },
  )
  .map((one) => one.replaceAll('\0', ''))

/** Any text on one line. */
export const lineText = text.map((one) => one.replaceAll('\n', ''))

/** What a file or directory may be called. */
export const fileName = text
  .map((one) => one.replaceAll('/', ''))
  .filter((one) => !/^\.{0,2}$/.test(one) && Buffer.byteLength(one) <= 200)
