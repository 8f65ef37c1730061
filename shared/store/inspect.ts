import { type Store, StoreError } from './connect.ts'
import { schemaIsCurrent } from './migrate.ts'

export interface StoreFacts {
  readonly version: string
  /** The server's clock, and by ours the moments between which it was read. */
  readonly clock: { readonly serverMs: number; readonly askedAtMs: number; readonly answeredAtMs: number }
  /** False when the database or a table is missing, or of an older version. */
  readonly isSchemaCurrent: boolean
  /** What the user may not do, in ClickHouse's words; null where it may, undefined where it could not be tried. */
  readonly refused: Readonly<Record<'select' | 'insert' | 'create', string | null | undefined>>
}

/** Looks at a database as the services will find it. Writes no row and makes no table. Throws StoreError when it is away. */
export async function inspectStore(store: Store, clock: () => number): Promise<StoreFacts> {
  const askedAtMs = clock()
  const [row] = await store.query.rows<{ version: string; ms: number }>(
    `SELECT version() AS version, toUnixTimestamp64Milli(now64(3)) AS ms`,
  )
  const answeredAtMs = clock()
  const isSchemaCurrent = await schemaIsCurrent(store).catch(() => false)
  const attempt = (run: () => Promise<unknown>) => (isSchemaCurrent ? refusal(run) : Promise.resolve(undefined))
  return {
    version: row?.version ?? '',
    clock: { serverMs: row?.ms ?? 0, askedAtMs, answeredAtMs },
    isSchemaCurrent,
    refused: {
      select: await attempt(() => store.query.rows('SELECT 1 FROM snapshots_v1 LIMIT 0')),
      // Permissions are checked before it turns out that there is nothing to write.
      insert: await attempt(() => store.command('INSERT INTO snapshots_v1 SELECT * FROM snapshots_v1 WHERE 0')),
      create: await attempt(() => store.command('CREATE TABLE IF NOT EXISTS schema_migrations AS schema_migrations')),
    },
  }
}

async function refusal(run: () => Promise<unknown>): Promise<string | null> {
  try {
    await run()
    return null
  } catch (error) {
    if (error instanceof StoreError && error.clickhouseCode !== null) return error.message
    throw error
  }
}
