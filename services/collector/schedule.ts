import { slotAt } from '../../shared/calendar/slots.ts'
import { isZone, type Zone } from '../../shared/calendar/zones.ts'
import type { SnapshotSlot } from '../../shared/model/snapshot.ts'
import type { OptionChainProvider, PassItem, ProviderSchedule } from './providers/provider.ts'

/** When each underlying's chain is due. */
export interface Schedule extends ProviderSchedule {
  readonly zone: Zone
  /** Underlyings whose interval is not the provider's. */
  readonly ownIntervalsMs: Readonly<Record<string, number>>
  /** Returns those of a pass's items that are due at its start: an underlying with a longer interval of its own sits out the passes in between. */
  due(items: readonly PassItem[], startedAtMs: number): readonly PassItem[]
  /** The slot that a fetch of a pass is for; null outside the sessions. */
  slotOf(underlying: string, startedAtMs: number): Omit<SnapshotSlot, 'unchangedBefore'> | null
}

/** Returns a provider's schedule; null where it follows none, as a recording. */
export function createSchedule(
  { schedule, exchangeZone }: Pick<OptionChainProvider, 'schedule' | 'exchangeZone'>,
  ownIntervals: ReadonlyMap<string, number>,
): Schedule | null {
  if (schedule === undefined || !isZone(exchangeZone)) return null
  const zone = exchangeZone
  const { intervalMs, delayMs } = schedule
  const lastTurn = new Map<string, string>()
  const intervalOf = (underlying: string): number => ownIntervals.get(underlying) ?? intervalMs

  function slotOf(underlying: string, startedAtMs: number): { atMs: number; intervalMs: number } | null {
    const slot = slotAt(zone, intervalOf(underlying), startedAtMs - delayMs)
    return slot === null ? null : { atMs: slot.atMs, intervalMs: intervalOf(underlying) }
  }

  /** Names the interval an instant lies in: its slot, or outside the sessions a stretch of the clock. */
  function turnOf(underlying: string, startedAtMs: number): string {
    const slot = slotOf(underlying, startedAtMs)
    return slot === null ? `closed ${Math.floor(startedAtMs / intervalOf(underlying))}` : String(slot.atMs)
  }

  return {
    intervalMs,
    delayMs,
    zone,
    ownIntervalsMs: Object.fromEntries(ownIntervals),
    slotOf,
    due(items, startedAtMs) {
      const turns = new Map(
        items.map(({ underlying }) => [
          underlying,
          ownIntervals.has(underlying) ? turnOf(underlying, startedAtMs) : null,
        ]),
      )
      const due = items.filter(({ underlying }) => {
        const turn = turns.get(underlying) ?? null
        return turn === null || turn !== lastTurn.get(underlying)
      })
      for (const [underlying, turn] of turns) if (turn !== null) lastTurn.set(underlying, turn)
      return due
    },
  }
}

/** Counts, chain by chain, the slots in which the provider had nothing new; the next snapshot carries the count. */
export class UnchangedSlots {
  readonly #byChain = new Map<string, { lastAtMs: number; count: number }>()

  repeated(chain: string, slotAtMs: number): void {
    const known = this.#byChain.get(chain)
    if (known === undefined) this.#byChain.set(chain, { lastAtMs: slotAtMs, count: 1 })
    else if (known.lastAtMs !== slotAtMs) {
      known.lastAtMs = slotAtMs
      known.count += 1
    }
  }

  /** Returns the count and begins anew. */
  taken(chain: string): number {
    const count = this.#byChain.get(chain)?.count ?? 0
    this.#byChain.delete(chain)
    return count
  }
}
