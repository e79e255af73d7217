import { type Sh } from '../playbook/sh.ts'
import { familiar } from '../stack/archive.ts'
import { matching } from './check.ts'
import { dockerGet, parseJson } from './docker.ts'

/** What is used of the answer to `GET /images/NAME/json`. */
export interface Found {
  Id: string
  RepoTags: string[]
  Config: Record<string, unknown>
  RootFS: { Layers: string[] }
  GraphDriver?: { Name: string }
  Architecture: string
}

/** One curl, whatever the number of images: a Docker command would take a second on a slow Pi. */
export function inspectImages(references: readonly string[]): Sh {
  return dockerGet(...references.map((reference) => `/images/${reference}/json`))
}

/** What the daemon told, a line an image; of those it does not have, and where no daemon answers, nothing. */
export function readImages(text: string): Found[] {
  return text.split('\n').map(parseJson).filter(isFound)
}

function isFound(value: unknown): value is Found {
  return (
    isRecord(value) &&
    typeof value['Id'] === 'string' &&
    Array.isArray(value['RepoTags']) &&
    isRecord(value['Config']) &&
    isRecord(value['RootFS']) &&
    Array.isArray(value['RootFS']['Layers'])
  )
}

/** Whether it is an object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** The name of an image as `docker images` shows it. Errors: InputError when it cannot be one. */
export function imageName(reference: string): string {
  return familiar(matching(reference, /^[\w][\w./:@-]*$/, 'the name of a container image'))
}
