import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { globSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** Who may import whom; the first rule whose `from` matches decides. */
const allowed: readonly { readonly from: RegExp; readonly to: RegExp; readonly because: string }[] = [
  { from: /\.test\.ts$|^tests\//, to: /./, because: 'tests may reach anywhere' },
  {
    from: /^shared\/model\/arrow\.ts$/,
    to: /^shared\/model\/|^@uwdata\/flechette$/,
    because: 'the only importer of the Arrow library',
  },
  {
    from: /^shared\/model\//,
    to: /^shared\/model\/|^zod$|^node:(crypto|zlib)$/,
    because: 'the model is the vocabulary: it knows nothing of I/O',
  },
  { from: /^shared\/quant\//, to: /^shared\/(model|quant)\//, because: 'pure numerics' },
  { from: /^shared\/calendar\//, to: /^shared\/(model|calendar)\//, because: 'pure dates' },
  {
    from: /^shared\/runtime\//,
    to: /^shared\/(model|runtime)\/|^(pino|prom-client|zod)$|^node:/,
    because: 'what a process needs, and no backend',
  },
  {
    from: /^shared\/bus\//,
    to: /^shared\/(model|runtime|bus)\/|^(nats|@nats-io\/jetstream|@nats-io\/kv|zod)$|^node:/,
    because: 'the only importer of the NATS client',
  },
  {
    from: /^shared\/archive\//,
    to: /^shared\/(model|runtime|archive)\/|^shared\/bus\/(messages|subjects)\.ts$|^zod$|^node:/,
    because: 'files, and of the bus only its names',
  },
  {
    from: /^shared\/store\//,
    to: /^shared\/(model|runtime|store)\/|^(@clickhouse\/client|zod)$|^node:/,
    because: 'the only importer of the ClickHouse client',
  },
  {
    from: /^services\/processor\/(features|detectors)\//,
    to: /^shared\/(model|quant|calendar)\/|^services\/processor\/(features|detectors)\//,
    because: 'pure: the same chain gives the same rows',
  },
  {
    from: /^services\/standalone\/clickhouse\//,
    to: /^shared\/(model|runtime)\/|^services\/standalone\/clickhouse\/|^(chdb|pino|zod)|^node:/,
    because: 'the only importer of chdb',
  },
  {
    from: /^services\/api\//,
    to: /^shared\/|^services\/api\/|^(hono|@hono\/|zod)|^node:/,
    because: 'services meet on the bus',
  },
  {
    from: /^services\/cli\//,
    to: /^shared\/|^services\/cli\/|^(commander|zod)$|^node:/,
    because: 'starts services as processes',
  },
  ...['collector', 'processor', 'archiver', 'exporter', 'standalone'].map((service) => ({
    from: new RegExp(`^services/${service}/`),
    to: new RegExp(`^shared/|^services/${service}/|^zod$|^node:`),
    because: 'services meet on the bus, not by import',
  })),
  { from: /^(bench|scripts|examples)\//, to: /./, because: 'tools around the product' },
  { from: /^vitest\.config\.ts$/, to: /^vitest/, because: 'configuration' },
]

const sources = globSync('{shared,services,tests,bench,scripts,examples}/**/*.ts', { exclude: ['**/node_modules/**'] })
const textOf = (file: string): string => readFileSync(file, 'utf8')

const importsOf = (file: string): readonly string[] =>
  [
    ...textOf(file).matchAll(
      /^\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]/gm,
    ),
  ]
    .map((match) => match[1] ?? match[2] ?? match[3] ?? '')
    .map((specifier) => (specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier))

const files = (from: RegExp): readonly string[] =>
  sources.filter((file) => from.test(file) && !file.endsWith('.test.ts'))

describe('architecture', () => {
  it('finds sources to look at', () => {
    expect(sources.length).toBeGreaterThan(100)
  })

  it('has every import allowed by the table', () => {
    const refused = sources.flatMap((file) => {
      const rule = allowed.find(({ from }) => from.test(file))
      return importsOf(file)
        .filter((target) => rule === undefined || !rule.to.test(target))
        .map((target) => `${file} -> ${target} (${rule?.because ?? 'no rule covers this file'})`)
    })
    expect(refused).toEqual([])
  })

  it('reads the environment only in main.ts', () => {
    const readers = files(/^(shared|services)\//).filter(
      (file) => !file.endsWith('/main.ts') && /\bprocess\.env\b/.test(textOf(file)),
    )
    expect(readers).toEqual([])
  })

  it('keeps clocks and chance out of pure code', () => {
    const pure = files(/^shared\/(model|quant|calendar)\/|^services\/processor\/(features|detectors)\//)
    const impure = pure.filter((file) =>
      /\bDate\.now\(|new Date\(\)|\bMath\.random\(|\bperformance\.now\(/.test(textOf(file)),
    )
    expect(impure).toEqual([])
  })

  it('handles signals in one place', () => {
    const handlers = files(/^(shared|services)\//).filter((file) =>
      /process\.(on|once)\(\s*'SIG(TERM|INT)'/.test(textOf(file)),
    )
    expect(handlers.filter((file) => !file.startsWith('services/cli/'))).toEqual(['shared/runtime/run-service.ts'])
  })

  it('binds values into SQL as parameters, never by template in the WHERE of a user value', () => {
    // Table and column names come from constants; what comes from outside travels as {name:Type}.
    const suspicious = files(/^shared\/store\/queries\//).flatMap((file) =>
      [...textOf(file).matchAll(/= ?'\$\{[^}]+\}'/g)].map((match) => `${file}: ${match[0]}`),
    )
    expect(suspicious).toEqual([])
  })
})
