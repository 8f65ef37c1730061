import type { StreamConfig } from '@nats-io/jetstream'

export interface StreamDrift {
  readonly field: string
  readonly wanted: unknown
  readonly found: unknown
}

export interface Comparison {
  /** What to send to the server; empty when nothing may or need be changed. */
  readonly update: Partial<StreamConfig>
  /** Differences that stay, because to remove them would delete messages or copies of them. */
  readonly drift: readonly StreamDrift[]
  /** Differences no server can remove in place. */
  readonly immovable: readonly StreamDrift[]
}

/** A server may refuse to change these, or would change what the messages mean. */
const immovableFields: ReadonlySet<string> = new Set(['storage', 'retention'])

/**
 * Limits: raising one keeps every message, lowering one deletes some, or copies of all: a service that was not told of them must not
 * take them away. 0 or less is no limit.
 */
const limitFields: ReadonlySet<string> = new Set([
  'max_bytes',
  'max_age',
  'max_msgs',
  'max_msgs_per_subject',
  'num_replicas',
])

/** Compares the fields that are declared; those a server adds of itself are its own affair. */
export function compareStream(wanted: Partial<StreamConfig>, found: StreamConfig): Comparison {
  const update: Partial<Record<string, unknown>> = {}
  const drift: StreamDrift[] = []
  const immovable: StreamDrift[] = []
  for (const [field, want] of Object.entries(wanted)) {
    const have = (found as unknown as Record<string, unknown>)[field]
    if (isSame(want, have)) continue
    const difference = { field, wanted: want, found: have }
    if (immovableFields.has(field)) immovable.push(difference)
    else if (limitFields.has(field) && isShrinking(want as number, have as number | undefined)) drift.push(difference)
    else update[field] = want
  }
  return { update, drift, immovable }
}

const isSame = (want: unknown, have: unknown): boolean =>
  JSON.stringify(want) === JSON.stringify(have) ||
  // A server leaves out what is false or empty, and says -1 or 0 for no limit.
  (isNothing(want) && isNothing(have))

const isNothing = (value: unknown): boolean =>
  value === undefined || value === false || value === '' || value === 0 || value === -1

const isShrinking = (want: number, have: number | undefined): boolean =>
  want > 0 && (have === undefined || have <= 0 || have > want)
