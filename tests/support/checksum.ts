import type { Query } from '../../shared/store/queries/query.ts'

/** Tables whose rows must be the same however often the way there was interrupted. */
export const checkedTables = [
  'option_quotes_v1',
  'expiry_features_v1',
  'chain_features_v1',
  'alerts_v1',
  'detector_states_v1',
  'quote_rejects_v1',
] as const

export interface TableSum {
  readonly rows: number
  readonly sum: string
}

/** Of the commit log, message by message; sequences and times of two runs differ, what became of a message does not. */
async function commitSum(query: Query): Promise<TableSum> {
  const [row] = await query.rows<{ n: number; s: string }>(
    `SELECT count() AS n, toString(sum(cityHash64(message_id, toString(outcome), reason, snapshot_id, content_hash, market_time,
       content_unchanged, late, n_quotes, n_expiries, n_chains, n_alerts, n_rejects))) AS s
     FROM snapshots_v1 FINAL`,
  )
  return { rows: row?.n ?? -1, sum: row?.s ?? '' }
}

/** Rows and their checksum, table by table, over every column but who wrote it when. No FINAL: a doubled row shows. */
export async function checksums(query: Query): Promise<Readonly<Record<string, TableSum>>> {
  const entries = await Promise.all(
    checkedTables.map(async (table) => {
      const [row] = await query.rows<{ n: number; s: string }>(
        `SELECT count() AS n, toString(sum(cityHash64(tuple(* EXCEPT (epoch, stored_at))))) AS s FROM ${table}`,
      )
      return [table, { rows: row?.n ?? -1, sum: row?.s ?? '' }] as const
    }),
  )
  return { ...Object.fromEntries(entries), snapshots_v1: await commitSum(query) }
}
