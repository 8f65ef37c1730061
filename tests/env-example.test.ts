import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { apiSettings } from '../services/api/config.ts'
import { archiverSettings } from '../services/archiver/config.ts'
import { readConfig as readCollectorConfig } from '../services/collector/config.ts'
import { exporterSettings } from '../services/exporter/config.ts'
import { processorSettings } from '../services/processor/config.ts'
import { readConfig as readClickHouseConfig } from '../services/standalone/clickhouse/config.ts'
import { standaloneSettings } from '../services/standalone/config.ts'
import { busSettings } from '../shared/bus/settings.ts'
import { type Env, readSettings } from '../shared/runtime/config.ts'
import { healthSettings, logSettings } from '../shared/runtime/settings.ts'
import { storeSettings } from '../shared/store/settings.ts'

type Read = (env: Env) => unknown

const fromSchema =
  (prefix: string, schema: z.ZodObject): Read =>
  (env) =>
    readSettings(prefix, schema, env)

/** How each prefix is read, as its service does it. */
const readers: Readonly<Record<string, Read>> = {
  NATS: fromSchema('NATS', busSettings),
  CLICKHOUSE: fromSchema('CLICKHOUSE', storeSettings),
  HEALTH: fromSchema('HEALTH', healthSettings),
  LOG: fromSchema('LOG', logSettings),
  COLLECTOR: readCollectorConfig,
  PROCESSOR: fromSchema('PROCESSOR', processorSettings),
  ARCHIVER: fromSchema('ARCHIVER', archiverSettings),
  EXPORTER: fromSchema('EXPORTER', exporterSettings),
  API: fromSchema('API', apiSettings),
  STANDALONE: fromSchema('STANDALONE', standaloneSettings),
  EMBEDDED_CLICKHOUSE: (env) => readClickHouseConfig([], { EMBEDDED_CLICKHOUSE_DATA_DIR: 'somewhere', ...env }),
}

/** Read by main.ts or tests themselves, without a schema. */
const withoutSchema = [
  'STRIKEFLOW_DATA',
  'STRIKEFLOW_NATS_SERVERS',
  'STRIKEFLOW_DEBUG',
  'STRIKEFLOW_CRASH_AT',
  'STRIKEFLOW_PAUSE_AT',
]

const example = new Map(
  [...readFileSync('.env.example', 'utf8').matchAll(/^#?([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(
    ([, name = '', value = '']) => [name, value] as const,
  ),
)

/** The names a service knows, as it lists them when it refuses another one. */
function knownNames(prefix: string, read: Read): readonly string[] {
  try {
    read({ [`${prefix}_NO_SUCH_SETTING`]: '1' })
  } catch (error) {
    const list = /is not a setting; known: (.*)$/m.exec((error as Error).message)?.[1]
    if (list !== undefined) return list.split(', ')
  }
  throw new TypeError(`Expected ${prefix} to refuse an unknown setting and to list the known ones`)
}

const ofPrefix = (prefix: string): Env =>
  Object.fromEntries([...example].filter(([name]) => name.startsWith(`${prefix}_`)))

describe('.env.example', () => {
  it.each(Object.entries(readers))('names every setting of %s and no other', (prefix, read) => {
    expect(Object.keys(ofPrefix(prefix)).toSorted()).toEqual(knownNames(prefix, read).toSorted())
  })

  it.each(Object.entries(readers))('shows the defaults of %s', (prefix, read) => {
    const shown = Object.fromEntries(Object.entries(ofPrefix(prefix)).filter(([, value]) => value !== ''))
    expect(read(shown)).toEqual(read({}))
  })

  it('names nothing that nobody reads', () => {
    const known = [...Object.entries(readers).flatMap(([prefix, read]) => knownNames(prefix, read)), ...withoutSchema]
    expect([...example.keys()].filter((name) => !known.includes(name))).toEqual([])
  })

  it('says each setting once', () => {
    const names = [...readFileSync('.env.example', 'utf8').matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name)
    expect(names).toHaveLength(example.size)
  })

  it('names every service that reads settings', () => {
    const sources = [
      'collector',
      'processor',
      'archiver',
      'exporter',
      'api',
      'standalone',
      'standalone/clickhouse',
    ].map((service) => readFileSync(`services/${service}/config.ts`, 'utf8'))
    const prefixes = sources.map((text) => /under the prefix `(\w+)`|const prefix = '(\w+)'/.exec(text))
    expect(prefixes.map((found) => found?.[1] ?? found?.[2]).filter((prefix) => !(`${prefix}` in readers))).toEqual([])
  })
})
