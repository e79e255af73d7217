/**
 * As much of ELF as it takes to put a program of any architecture into an image with just the libraries it uses:
 * `ldd` runs the program's own loader, which another architecture's program does not allow.
 *
 * @see elf(5), the LSB's "Symbol Versioning"
 */
import { BrambleError } from '../errors.ts'

const NEEDED = 1n
const STRTAB = 5n
const VERNEED = 0x6ffffffen
const VERNEEDNUM = 0x6fffffffn
const LOAD = 1
const DYNAMIC = 2
const INTERP = 3
const DYNSYM = 11
const VERSYM = 0x6fffffff
const WEAK = 2
const UNVERSIONED = 1
/** Where an entry of the table of versions has the distance to the next. */
const NEXT = 12

interface Entry {
  offset: number
  tag: bigint
  value: bigint
}

interface Elf {
  dynamic: Entry[]
  interpreter: string | undefined
  /** Where in the file an address of the running program is. */
  fileOffset(address: bigint): number
  /** A string of the dynamic string table. */
  string(index: bigint | number): string
  section(type: number): { offset: number; size: number } | undefined
}

/** The names of the libraries that a program or library asks its loader for. */
export function neededLibraries(file: Buffer): string[] {
  const elf = parse(file)
  return elf.dynamic.filter((entry) => entry.tag === NEEDED).map((entry) => elf.string(entry.value))
}

/** The path of the loader that a program names: `/lib/ld-linux-aarch64.so.1`; undefined for a library. */
export function interpreter(file: Buffer): string | undefined {
  return parse(file).interpreter
}

/**
 * A copy of the program that no longer asks for these libraries, and starts without them: what it took from them
 * becomes a weak symbol, which is 0 when nobody has it. For features that are compiled in and never switched on
 * (SNMP, D-Bus, OpenTracing), whose libraries are most of an image.
 */
export function withoutLibraries(file: Buffer, names: readonly string[]): Buffer {
  const copy = Buffer.from(file)
  const elf = parse(copy)
  dropVersions(copy, elf, names)
  dropNeeded(copy, elf, names)
  return copy
}

function parse(file: Buffer): Elf {
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1)
    throw new BrambleError('not a 64-bit little-endian ELF file', {
      found: file.subarray(0, 6).toString('hex'),
    })
  const table = (start: number, size: number, count: number): number[] =>
    Array.from(
      { length: count },
      (_, index) => Number(file.readBigUInt64LE(start)) + index * file.readUInt16LE(size),
    )
  const segments = table(0x20, 0x36, file.readUInt16LE(0x38)).map((at) => ({
    type: file.readUInt32LE(at),
    offset: Number(file.readBigUInt64LE(at + 8)),
    address: file.readBigUInt64LE(at + 16),
    size: Number(file.readBigUInt64LE(at + 32)),
  }))
  const sections = table(0x28, 0x3a, file.readUInt16LE(0x3c)).map((at) => ({
    type: file.readUInt32LE(at + 4),
    offset: Number(file.readBigUInt64LE(at + 24)),
    size: Number(file.readBigUInt64LE(at + 32)),
  }))
  const fileOffset = (address: bigint): number => {
    const found = segments.find(
      (part) => part.type === LOAD && address >= part.address && address < part.address + BigInt(part.size),
    )
    if (!found) throw new BrambleError(`address ${address} is in no segment of this ELF file`)
    return found.offset + Number(address - found.address)
  }
  const dynamic: Entry[] = []
  const where = segments.find((part) => part.type === DYNAMIC) ?? { offset: 0, size: 0 }
  for (let at = where.offset; at < where.offset + where.size; at += 16) {
    const tag = file.readBigUInt64LE(at)
    if (tag === 0n) break
    dynamic.push({ offset: at, tag, value: file.readBigUInt64LE(at + 8) })
  }
  const strings = dynamic.find((entry) => entry.tag === STRTAB)
  const text = (at: number): string => file.toString('latin1', at, file.indexOf(0, at))
  const loader = segments.find((part) => part.type === INTERP)
  return {
    dynamic,
    interpreter: loader && text(loader.offset),
    fileOffset,
    string: (index) => text(fileOffset((strings?.value ?? 0n) + BigInt(index))),
    section: (type) => sections.find((section) => section.type === type),
  }
}

function dropNeeded(file: Buffer, elf: Elf, names: readonly string[]): void {
  const first = elf.dynamic[0]
  if (!first) return
  const kept = elf.dynamic.filter((entry) => entry.tag !== NEEDED || !names.includes(elf.string(entry.value)))
  elf.dynamic.forEach(({ offset }, index) => {
    file.writeBigUInt64LE(kept[index]?.tag ?? 0n, offset)
    file.writeBigUInt64LE(kept[index]?.value ?? 0n, offset + 8)
  })
}

/** The loader insists that a library whose symbol versions are asked for is there: takes those versions out too. */
function dropVersions(file: Buffer, elf: Elf, names: readonly string[]): void {
  const start = elf.dynamic.find((entry) => entry.tag === VERNEED)
  const count = elf.dynamic.find((entry) => entry.tag === VERNEEDNUM)
  if (!start || !count) return weakenSymbols(file, elf, new Set())
  const all: number[] = []
  let at = elf.fileOffset(start.value)
  for (let left = Number(count.value); left > 0; left--) {
    all.push(at)
    at += file.readUInt32LE(at + NEXT)
  }
  const unwanted = (at: number): boolean => names.includes(elf.string(file.readUInt32LE(at + 4)))
  const gone = all.filter(unwanted).flatMap((at) => versionIndexes(file, at))
  const kept = all.filter((at) => !unwanted(at))
  kept.forEach((at, index) => file.writeUInt32LE((kept[index + 1] ?? at) - at, at + NEXT))
  start.value += BigInt((kept[0] ?? 0) - (all[0] ?? 0))
  count.value = BigInt(kept.length)
  weakenSymbols(file, elf, new Set(gone))
}

/** Symbols that come from elsewhere, by no version or by one that is gone: may be missing from now on. */
function weakenSymbols(file: Buffer, elf: Elf, gone: ReadonlySet<number>): void {
  const symbols = elf.section(DYNSYM) ?? { offset: 0, size: 0 }
  const versions = elf.section(VERSYM)
  for (let index = 1; index < symbols.size / 24; index++) {
    const symbol = symbols.offset + index * 24
    if (file.readUInt16LE(symbol + 6) !== 0) continue
    const version = versions && versions.offset + index * 2
    if (version !== undefined && gone.has(file.readUInt16LE(version)))
      file.writeUInt16LE(UNVERSIONED, version)
    if (version === undefined || file.readUInt16LE(version) === UNVERSIONED)
      file[symbol + 4] = (WEAK << 4) | ((file[symbol + 4] ?? 0) & 15)
  }
}

function versionIndexes(file: Buffer, at: number): number[] {
  const indexes: number[] = []
  let version = at + file.readUInt32LE(at + 8)
  for (let left = file.readUInt16LE(at + 2); left > 0; left--) {
    indexes.push(file.readUInt16LE(version + 6))
    version += file.readUInt32LE(version + 12)
  }
  return indexes
}
