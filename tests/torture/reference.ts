import { checkedTables } from '../support/checksum.ts'
import { openStage, waitForCommits } from '../support/delivery-stage.ts'
import { chainIn, type Layout, smallChains } from './chains.ts'
import type { Query } from '../../shared/store/queries/query.ts'

/** Rows and their checksum by table and underlying: `alerts_v1 T3`. */
export type Sums = ReadonlyMap<string, string>

const commitColumns = `message_id, toString(outcome), reason, snapshot_id, content_hash, market_time, content_unchanged, late,
  n_quotes, n_expiries, n_chains, n_alerts, n_rejects`

export interface SumOptions {
  /** Where parts of a flush may be there twice until they are merged. @default false: what is doubled shows */
  readonly isFinal?: boolean
}

/** Sums over every column but who wrote it when. */
export async function sumsOf(query: Query, { isFinal = false }: SumOptions = {}): Promise<Sums> {
  const sums = new Map<string, string>()
  for (const table of checkedTables) {
    const rows = await query.rows<{ underlying: string; n: number; s: string }>(
      `SELECT underlying, count() AS n, toString(sum(cityHash64(tuple(* EXCEPT (epoch, stored_at))))) AS s
       FROM ${table} ${isFinal ? 'FINAL' : ''} GROUP BY underlying`,
    )
    for (const { underlying, n, s } of rows) sums.set(`${table} ${underlying}`, `${n} rows, ${s}`)
  }
  const commits = await query.rows<{ underlying: string; n: number; s: string }>(
    `SELECT underlying, count() AS n, toString(sum(cityHash64(${commitColumns}))) AS s
     FROM snapshots_v1 FINAL WHERE outcome = 'stored' GROUP BY underlying`,
  )
  for (const { underlying, n, s } of commits) sums.set(`snapshots_v1 ${underlying}`, `${n} rows, ${s}`)
  return sums
}

export interface Reference {
  readonly sums: Sums
  /** Underlyings by id. */
  readonly alerts: ReadonlyMap<string, string>
}

/** What one processor makes of these chains when nothing happens to it. */
export async function undisturbed(
  steps: ReadonlyMap<string, readonly number[]>,
  layout: Layout = smallChains,
): Promise<Reference> {
  await using stage = await openStage()
  await stage.start('reference')
  let count = 0
  const longest = Math.max(0, ...[...steps.values()].map(({ length }) => length))
  for (let i = 0; i < longest; i += 1) {
    const messages = [...steps].flatMap(([underlying, own]) => {
      const step = own[i]
      return step === undefined ? [] : [chainIn(layout, underlying, step)]
    })
    count += messages.length
    await stage.publish(messages)
  }
  await waitForCommits(stage, count)
  const alerts = await stage.store.query.rows<{ id: string; underlying: string }>(
    'SELECT toString(alert_id) AS id, underlying FROM alerts_v1 FINAL',
  )
  return {
    sums: await sumsOf(stage.store.query),
    alerts: new Map(alerts.map(({ id, underlying }) => [id, underlying])),
  }
}
