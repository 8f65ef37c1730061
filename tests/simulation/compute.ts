import { roundTo } from '../../services/processor/detectors/baseline.ts'
import type { KeyState, Standing } from '../../services/processor/key-states.ts'
import type { RowCounts } from '../../services/processor/delivery/ports.ts'
import type { Body } from './message.ts'
import type { Content } from './sink-rows.ts'

/** What is remembered of a key: figures that any message lost, doubled or out of order leaves its mark on. */
interface Memory {
  readonly n: number
  readonly mean: number
  readonly hash: number
}

export interface SimulatedAlert {
  readonly id: string
  readonly content: string
}

export interface Outcome {
  readonly content: Content
  readonly counts: RowCounts
  readonly state: KeyState | null
  readonly alerts: readonly SimulatedAlert[]
}

/** In a row that no table takes. */
export const unstorableMark = 'unstorable'

/** Pure: the same message and state give the same rows. `round` is what is applied before anything is remembered. */
export function compute(
  body: Body,
  { late, contentUnchanged }: Standing,
  before: KeyState | undefined,
  round: (value: number) => number,
): Outcome {
  const { snapshotId, marketTimeMs, contentHash } = body
  const memory = (before?.detectors['memory'] as Memory | undefined) ?? { n: 0, mean: 0, hash: 0 }
  const isNews = !late && !contentUnchanged
  const after = isNews ? remember(memory, body, round) : memory
  const isAlarming = isNews && (after.hash % 3 === 0 || body.value > memory.mean * 1.5)
  const alerts = isAlarming ? [{ id: `alert-${snapshotId}`, content: `${body.value} after ${memory.mean}` }] : []
  const state = late ? null : { marketTimeMs, contentHash, detectors: { memory: after } }
  // Some table refuses it, by its number: the first that is written, or one after rows of it have been.
  const refusing = body.kind === 'unstorable' ? (body.quotes % 2 === 0 ? 'quotes' : 'chains') : null
  const mark = (table: 'quotes' | 'chains'): string => (table === refusing ? ` ${unstorableMark}` : '')
  const content: Content = {
    quotes: Array.from(
      { length: body.quotes },
      (_, i) => `${snapshotId} ${i} ${roundTo(body.value, 4)}${mark('quotes')}`,
    ),
    expiries: body.quotes > 2 ? [`${snapshotId} near`, `${snapshotId} far`] : [`${snapshotId} near`],
    chains: [`${snapshotId} ${late} ${after.n} ${roundTo(after.mean, 6)} ${after.hash}${mark('chains')}`],
    rejects: body.quotes % 2 === 0 ? [`${snapshotId} refused`] : [],
    alerts: alerts.map(({ id, content }) => `${id} ${content}`),
    // What is stored is rounded whatever is remembered: a column has a scale.
    states: state === null ? [] : [JSON.stringify({ ...state, detectors: { memory: rounded(after) } })],
  }
  return { content, counts: countsOf(content), state, alerts }
}

const remember = ({ n, mean, hash }: Memory, body: Body, round: (value: number) => number): Memory => ({
  n: n + 1,
  mean: round(mean + Math.max(0.1, 1 / (n + 1)) * (body.value - mean)),
  hash: hashOf(`${hash} ${body.snapshotId} ${body.provider}`),
})

const rounded = (memory: Memory): Memory => ({ ...memory, mean: roundTo(memory.mean, 9) })

export const roundedAsStored = (value: number): number => roundTo(value, 9)

const countsOf = (content: Content): RowCounts => ({
  quotes: content.quotes.length,
  expiries: content.expiries.length,
  chains: content.chains.length,
  rejects: content.rejects.length,
  alerts: content.alerts.length,
  states: content.states.length,
})

function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return hash
}
