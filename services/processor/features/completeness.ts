import { formatDay } from '../../../shared/calendar/days.ts'
import { openMsBetween, slotAt } from '../../../shared/calendar/slots.ts'
import { isZone, type Zone } from '../../../shared/calendar/zones.ts'
import { completenessSpecs } from '../../../shared/model/feature-registry.ts'
import type { Snapshot, SnapshotMeta } from '../../../shared/model/snapshot.ts'
import { atStoredScale, byName } from './stored-scale.ts'

type CompletenessName = keyof typeof completenessSpecs
type Figures = Readonly<Record<CompletenessName, number>>

/** What a chain by itself says of its completeness: nothing. It takes what came before it in the session. */
export const noCompleteness: Figures = {
  contractCompleteness: NaN,
  slotCompleteness: NaN,
  stalenessS: NaN,
  lastTradeAgeS: NaN,
}

/** What is remembered of a key's session: plain JSON, part of its state. */
export interface SessionSlots {
  /** Trading date, YYYY-MM-DD. */
  readonly date: string
  /** The most contracts one of its snapshots listed. */
  readonly listed: number
  /** Null before the first snapshot with a slot. */
  readonly slots: FilledSlots | null
}

interface FilledSlots {
  readonly intervalMs: number
  /** Indices of the first and the last slot that brought a chain. */
  readonly first: number
  readonly last: number
  /** How many of them and those in between did. */
  readonly filled: number
}

export interface Completeness {
  /** At their stored scale. */
  readonly completeness: Readonly<Record<CompletenessName, number | null>>
  readonly session: SessionSlots
}

const toStoredScale = atStoredScale(completenessSpecs)

/**
 * Says how complete and how fresh a snapshot is, from it, its metadata and the key's session so far: never from a clock, so that
 * a replay says the same.
 */
export function completenessOf({ meta, columns }: Snapshot, before: SessionSlots | undefined): Completeness {
  const zone = isZone(meta.exchangeZone) ? meta.exchangeZone : null
  const { slot } = meta
  const placed = slot === undefined || zone === null ? null : slotAt(zone, slot.intervalMs, slot.atMs)
  const date = placed === null ? meta.sessionDate : formatDay(placed.day)
  const known = before?.date === date ? before : undefined
  const listed = Math.max(meta.listed, columns.length, known?.listed ?? 0)
  const isPlaced = placed !== null && slot !== undefined
  const slots = isPlaced ? withSlot(known?.slots ?? null, slot, placed.index) : (known?.slots ?? null)
  const figures: Figures = {
    contractCompleteness: columns.length / listed,
    slotCompleteness: !isPlaced || slots === null ? NaN : slots.filled / (slots.last - slots.first + 1),
    ...(zone === null ? { stalenessS: NaN, lastTradeAgeS: NaN } : agesOf(zone, meta, columns.lastTradeAtS)),
  }
  return { completeness: byName(completenessSpecs, toStoredScale(figures)), session: { date, listed, slots } }
}

function withSlot(
  before: FilledSlots | null,
  { intervalMs, unchangedBefore }: NonNullable<SnapshotMeta['slot']>,
  index: number,
): FilledSlots {
  if (before === null || before.intervalMs !== intervalMs) {
    // Unchanged slots of an earlier session may be among them; those of this one begin at its open.
    const unchanged = Math.min(unchangedBefore, index)
    return { intervalMs, first: index - unchanged, last: index, filled: unchanged + 1 }
  }
  if (index <= before.last) return before
  const between = index - before.last - 1
  return { ...before, last: index, filled: before.filled + Math.min(unchangedBefore, between) + 1 }
}

function agesOf(
  zone: Zone,
  { slot, marketTimeMs, receivedAtMs, delayMs }: SnapshotMeta,
  lastTradeAtS: Float64Array,
): Pick<Figures, 'stalenessS' | 'lastTradeAgeS'> {
  const isKnown = slot !== undefined || receivedAtMs > 0
  const dueMs = slot?.atMs ?? receivedAtMs - delayMs
  let newestTradeS = -Infinity
  for (let i = 0; i < lastTradeAtS.length; i++) {
    const atS = lastTradeAtS[i] as number
    if (atS > newestTradeS) newestTradeS = atS
  }
  return {
    stalenessS: isKnown ? openMsBetween(zone, marketTimeMs, dueMs) / 1000 : NaN,
    lastTradeAgeS: newestTradeS === -Infinity ? NaN : openMsBetween(zone, newestTradeS * 1000, marketTimeMs) / 1000,
  }
}
