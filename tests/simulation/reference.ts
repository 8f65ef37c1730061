import { type KeyState, KeyStates } from '../../services/processor/key-states.ts'
import type { OutcomeName } from '../../shared/model/outcome.ts'
import { compute, roundedAsStored } from './compute.ts'
import { type Body, isUnreadable, keyOf } from './message.ts'
import type { Content } from './sink-rows.ts'

/** What an undisturbed pass over the messages of a partition has come to. */
export interface Reference {
  readonly states: Map<string, KeyState>
  readonly stored: Map<string, Expected>
}

export interface Expected {
  readonly outcome: OutcomeName
  readonly key: string
  readonly content: Content | null
}

/** What becomes of the next message in an undisturbed pass. */
export function expectedOf(body: Body, isGivenUp: boolean, { states, stored }: Reference): Expected {
  const key = keyOf(body)
  if (isGivenUp || isUnreadable(body)) return { outcome: 'dead-lettered', key, content: null }
  if (stored.has(body.snapshotId)) return { outcome: 'duplicate', key, content: null }
  if (body.kind !== 'sound') return { outcome: 'dead-lettered', key, content: null }
  const before = states.get(key)
  // Of one key only, by the same rule as in the processor.
  const known = new KeyStates(false)
  if (before !== undefined) known.set(body, before)
  const outcome = compute(body, known.standing(body), before, roundedAsStored)
  if (outcome.state !== null) states.set(key, outcome.state)
  const expected: Expected = { outcome: 'stored', key, content: outcome.content }
  stored.set(body.snapshotId, expected)
  return expected
}

/** Incarnations in the order in which they were. */
export function incarnationOrder(incarnation: string): number {
  const [, created = '0', again = '0'] = /^C(\d+)(?:#(\d+))?/.exec(incarnation) ?? []
  return Number(created) * 1_000 + Number(again)
}
