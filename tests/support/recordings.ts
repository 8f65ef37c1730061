import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'

const root = resolve(process.env['STRIKEFLOW_DATA'] ?? '../shared/data')

/** A folder of the recorded data, or null with the reason to skip by. */
export function recordingsAt(folder: string): { readonly path: string } | { readonly missing: string } {
  const path = join(root, folder)
  return existsSync(path) ? { path } : { missing: `no recordings at ${path} (set STRIKEFLOW_DATA)` }
}

/** Files of a folder and those below it, in order of name. */
export const filesBelow = (path: string): readonly string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.gz'))
    .toSorted()
    .map((name) => join(path, name))

export const gunzipText = (path: string): string => gunzipSync(readFileSync(path)).toString('utf8')
