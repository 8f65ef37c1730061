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
  return Object.fromEntries(entries)
}
