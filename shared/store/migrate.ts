import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { StrikeflowError } from '../model/errors.ts'
import { type Store, StoreError } from './connect.ts'
import { type Deployment, renderSchema } from './render-schema.ts'

const schemaFolder = new URL('schema/', import.meta.url)

export interface Migration {
  readonly number: number
  readonly name: string
  /** The template as it lies in the repository; its checksum is what must never change. */
  readonly template: string
  readonly checksum: string
}

/** Reads all migrations, in order. Throws when a number is missing or taken twice. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const names = (await readdir(schemaFolder)).filter((name) => name.endsWith('.sql')).toSorted()
  const migrations = await Promise.all(
    names.map(async (name) => {
      const template = await readFile(new URL(name, schemaFolder), 'utf8')
      const checksum = createHash('sha256').update(template).digest('hex')
      return { number: Number(name.slice(0, 3)), name: name.slice(0, -4), template, checksum }
    }),
  )
  migrations.forEach(({ number, name }, index) => {
    if (number !== index + 1) throw new StrikeflowError('config', `Migration ${name}: expected number ${index + 1}`)
  })
  return migrations
}

/** ALTERs waiting on each other and timeouts: the same idempotent statement is simply sent again. */
const retriedCodes = new Set([159, 341, 517])
const attempts = 5

/**
 * Brings the database to the newest schema and returns the names of what was applied.
 *
 * Every statement is idempotent and recorded after it ran, so a run that was cut off is just run again: there is no dirty
 * state. Refuses when an applied migration's text has changed since.
 */
export async function migrate(store: Store, deployment: Deployment = 'single'): Promise<readonly string[]> {
  await store.command(
    renderSchema(
      `CREATE TABLE IF NOT EXISTS {table:schema_migrations} {on_cluster} (
        number UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
      ) ENGINE = {engine:ReplacingMergeTree(applied_at)} ORDER BY number`,
      deployment,
    ),
  )
  const migrations = await readMigrations()
  const applied = await appliedChecksums(store)
  const done: string[] = []
  for (const migration of migrations) {
    const before = applied.get(migration.number)
    if (before === migration.checksum) continue
    if (before !== undefined) {
      throw new StrikeflowError(
        'config',
        `Migration ${migration.name} was applied with another text: restore the file and write a new migration instead`,
      )
    }
    await runWithRetry(store, renderSchema(migration.template, deployment))
    await store.command(
      'INSERT INTO schema_migrations (number, name, checksum) SELECT {number:UInt32}, {name:String}, {checksum:String}',
      { number: migration.number, name: migration.name, checksum: migration.checksum },
    )
    done.push(migration.name)
  }
  return done
}

async function runWithRetry(store: Store, sql: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await store.command(sql)
    } catch (error) {
      const again = error instanceof StoreError && retriedCodes.has(error.clickhouseCode ?? -1) && attempt < attempts
      if (!again) throw error
      await delay(200 * 2 ** attempt)
    }
  }
}

async function appliedChecksums(store: Store): Promise<ReadonlyMap<number, string>> {
  const rows = await store.query.rows<{ number: number; checksum: string }>(
    'SELECT number, checksum FROM schema_migrations FINAL',
  )
  return new Map(rows.map(({ number, checksum }) => [number, checksum]))
}

/** Resolves when the database has the schema this code was written for; services wait instead of migrating themselves. */
export async function schemaIsCurrent(store: Store): Promise<boolean> {
  const migrations = await readMigrations()
  try {
    const applied = await appliedChecksums(store)
    return migrations.every(({ number, checksum }) => applied.get(number) === checksum)
  } catch (error) {
    // Code 60: no such table, nothing was ever applied; 81: no such database.
    if (error instanceof StoreError && (error.clickhouseCode === 60 || error.clickhouseCode === 81)) return false
    throw error
  }
}
