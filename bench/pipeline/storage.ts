import type { Snapshot } from '../../shared/model/snapshot.ts'
import { optionQuotes } from '../../shared/store/tables.ts'
import { httpTo } from '../../tests/support/clickhouse.ts'
import type { Stand } from './stand.ts'

export interface Storage {
  /** Compressed column bytes a row of one pass by itself, after OPTIMIZE FINAL. */
  readonly bytesPerRow: number
  /** The same of the whole table: smaller, because the copies of a chain lie side by side and compress each other. */
  readonly bytesPerRowWithCopies: number
  /** Of one pass, the largest first; empty where the engine kept the part compact. */
  readonly columns: readonly { readonly name: string; readonly bytesPerRow: number }[]
}

const passTable = 'option_quotes_pass'
/** They travel in the URL, which a server takes up to 16 KB of. */
const idsAtOnce = 250

/** What the rows take on disk. Only a pass by itself says what a recorded market costs. */
export async function measureStorage({ store, clickhouse }: Stand, pass: readonly Snapshot[]): Promise<Storage> {
  const { table } = optionQuotes
  // The parts of so few rows could stay compact, and then no column knows its size.
  await store.command(`CREATE TABLE ${passTable} AS ${table} SETTINGS min_bytes_for_wide_part = 0`)
  for (let from = 0; from < pass.length; from += idsAtOnce) {
    const ids = pass.slice(from, from + idsAtOnce).map(({ meta }) => meta.snapshotId)
    await store.command(`INSERT INTO ${passTable} SELECT * FROM ${table} WHERE snapshot_id IN {ids:Array(UUID)}`, {
      ids,
    })
  }
  // A store gives up after half a minute; a whole table may take longer.
  const { ok } = httpTo(() => clickhouse)
  for (const name of [passTable, table]) await ok(`OPTIMIZE TABLE ${name} FINAL`)
  const [ofPass, ofAll] = [await bytesPerRow(passTable), await bytesPerRow(table)]
  const columns = await store.query.rows<{ name: string; bytesPerRow: number }>(
    `SELECT column AS name, round(sum(column_data_compressed_bytes) / sum(rows), 3) AS bytesPerRow FROM system.parts_columns
     WHERE active AND database = currentDatabase() AND table = '${passTable}'
     GROUP BY column HAVING sum(column_data_compressed_bytes) > 0 ORDER BY bytesPerRow DESC`,
  )
  await store.command(`DROP TABLE ${passTable} SYNC`)
  return { bytesPerRow: ofPass, bytesPerRowWithCopies: ofAll, columns }

  async function bytesPerRow(name: string): Promise<number> {
    const [row] = await store.query.rows<{ b: number }>(
      `SELECT round(sum(data_compressed_bytes) / sum(rows), 2) AS b FROM system.parts
       WHERE active AND database = currentDatabase() AND table = {name:String}`,
      { name },
    )
    return row?.b ?? Number.NaN
  }
}
