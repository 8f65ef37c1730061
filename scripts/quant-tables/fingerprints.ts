import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'

const root = new URL('../../', import.meta.url)

/** Written by the generator beside its sources. */
export const fingerprintPath = 'scripts/quant-tables/fingerprints.json'

const tables = ['erfcx-table', 'lognormal-polynomials', 'seed-table'].map((name) => `shared/quant/kernel/${name}.ts`)

/** SHA-256 of each source of the generator and of each table that it writes, by path. */
export function fingerprints(): Readonly<Record<string, string>> {
  const own = readdirSync(new URL('scripts/quant-tables/', root))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'fingerprints.ts')
    .map((name) => `scripts/quant-tables/${name}`)
  const paths = ['scripts/generate-quant-tables.ts', ...own, ...tables].toSorted()
  return Object.fromEntries(paths.map((path) => [path, sha256(readFileSync(new URL(path, root)))]))
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
