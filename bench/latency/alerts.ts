import type { Query } from '../../shared/store/queries/query.ts'
import { waitFor } from '../../tests/support/wait-for.ts'
import { type MarketPlan, simulatorOptions } from './market.ts'
import type { Sent } from './publish.ts'
import type { Receiver } from './receiver.ts'

export interface AlertFigures {
  /** Put into the market. */
  readonly injectedEvents: number
  /** Of those, the ones without their alert. */
  readonly undetectedEvents: number
  /** Alerts that were received of the measured chains, each once. */
  readonly receivedAlerts: number
  /** Stored and not received. */
  readonly missedAlerts: number
  /** Received and not stored. */
  readonly unstoredAlerts: number
  /** Received again under the same id. */
  readonly duplicateAlerts: number
  /** Rows beyond the first of an id. */
  readonly doubledAlertRows: number
}

interface AlertRow {
  readonly id: string
  readonly snapshotId: string
  readonly key: string
}

/** Every alert has one row and was received, and every event that was put into the market has its alert. */
export async function compareAlerts(
  query: Query,
  receiver: Receiver,
  sent: readonly Sent[],
  plan: MarketPlan,
): Promise<AlertFigures> {
  const measured = new Set(sent.map(({ snapshotId }) => snapshotId))
  const rows = (await readAlerts(query)).filter(({ snapshotId }) => measured.has(snapshotId))
  const stored = new Set(rows.map(({ id }) => id))
  // The table has them already, so they were published: what is on its way is given a moment.
  await waitFor('all alerts', () => [...stored].every((id) => receiver.alerts.has(id)), { timeoutMs: 5_000 }).catch(
    () => {},
  )
  const received = [...receiver.alerts].filter(([, { snapshotId }]) => measured.has(snapshotId))
  const found = new Set(rows.map(({ key }) => key))
  const injected = injectedKeys(plan)
  return {
    injectedEvents: injected.length,
    undetectedEvents: injected.filter((key) => !found.has(key)).length,
    receivedAlerts: received.length,
    missedAlerts: [...stored].filter((id) => !receiver.alerts.has(id)).length,
    unstoredAlerts: received.filter(([id]) => !stored.has(id)).length,
    duplicateAlerts: receiver.duplicates,
    doubledAlertRows: rows.length - stored.size,
  }
}

const readAlerts = (query: Query): Promise<readonly AlertRow[]> =>
  query.rows<AlertRow>(
    `SELECT toString(alert_id) AS id, toString(snapshot_id) AS snapshotId,
       concat(underlying, ' ', toString(toUnixTimestamp64Milli(market_time)), ' ', detector) AS key
     FROM alerts_v1`,
  )

function injectedKeys(plan: MarketPlan): readonly string[] {
  const { events } = simulatorOptions(plan)
  return typeof events === 'object' ? events.map(({ underlying, atMs, kind }) => `${underlying} ${atMs} ${kind}`) : []
}
