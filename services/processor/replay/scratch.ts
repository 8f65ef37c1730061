import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { ReplayJob } from '../../../shared/model/replay.ts'
import { openStore, type Store } from '../../../shared/store/connect.ts'
import { migrate } from '../../../shared/store/migrate.ts'
import { createRangeTableSql, rangeTable } from '../../../shared/store/queries/replay.ts'

/** A slow server is no reason to lose an hour's work. */
const requestTimeoutMs = 600_000

/** The database that was written; only ever read. */
export const openMain = ({ store }: Pick<ReplayJob, 'store'>): Store => openStore({ ...store, requestTimeoutMs })

/**
 * Makes the scratch database, with all tables and empty. Refuses the one that is compared with, and whatever no replay has made:
 * `replace` drops scratch databases only.
 */
export async function openScratch({ store, into, replace }: ReplayJob): Promise<Store> {
  if (into === store.database)
    throw new StrikeflowError('config', `--into ${into} is the database itself: give another name`)
  if (serversOwn.test(into))
    throw new StrikeflowError('config', `--into ${into} is the server's own: give another name`)
  await using server = openStore({ ...store, database: 'default', requestTimeoutMs })
  const tables = await tablesOf(server, into)
  if (tables.size > 0) {
    if (!tables.has(rangeTable)) {
      throw new StrikeflowError('config', `The database ${into} is none that a replay has made: give another name`)
    }
    if (!replace && (await hasRange(server, into))) {
      throw new StrikeflowError(
        'config',
        `The database ${into} holds an earlier replay: give --replace to drop it, or another name`,
      )
    }
    await server.command(`DROP DATABASE ${into}`)
  }
  await server.command(`CREATE DATABASE IF NOT EXISTS ${into}`)
  const scratch = openStore({ ...store, database: into, requestTimeoutMs })
  // First of all, so that a replay which is stopped halfway can be replaced.
  await scratch.command(createRangeTableSql)
  await migrate(scratch)
  return scratch
}

const serversOwn = /^(default|system|information_schema)$/i

/** False where a replay was refused before it began. */
async function hasRange(server: Store, database: string): Promise<boolean> {
  return (await server.query.rows(`SELECT 1 FROM ${database}.${rangeTable} LIMIT 1`)).length > 0
}

async function tablesOf(server: Store, database: string): Promise<ReadonlySet<string>> {
  const rows = await server.query.rows<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = {database:String}',
    { database },
  )
  return new Set(rows.map(({ name }) => name))
}
