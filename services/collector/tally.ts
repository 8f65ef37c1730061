import type { RefusalReason, RejectReason } from '../../shared/model/snapshot.ts'

/** What became of one item of a pass. */
export type ItemResult =
  | {
      readonly kind: 'published' | 'repeated'
      readonly contracts: number
      readonly rejectsByReason: Readonly<Partial<Record<RejectReason, number>>>
    }
  | {
      readonly kind: 'refused'
      readonly reason: RefusalReason
      readonly detail: string
      /** Of a chain whose every row was refused. */
      readonly rejectsByReason?: Readonly<Partial<Record<RejectReason, number>>>
    }

/** Counts over items. Contracts and rejects are those of new snapshots and of refused chains: a repeated chain adds none. */
export interface Tally {
  readonly files: number
  /** Distinct snapshots. */
  readonly snapshots: number
  /** Delivered, but the same snapshot as before. */
  readonly repeated: number
  readonly refused: number
  readonly contracts: number
  readonly rejectsByReason: Readonly<Partial<Record<RejectReason, number>>>
  readonly refusalsByReason: Readonly<Partial<Record<RefusalReason, number>>>
}

export const emptyTally: Tally = {
  files: 0,
  snapshots: 0,
  repeated: 0,
  refused: 0,
  contracts: 0,
  rejectsByReason: {},
  refusalsByReason: {},
}

/** Returns the counts with one more result in them. */
export function tallied(tally: Tally, result: ItemResult): Tally {
  const files = tally.files + 1
  switch (result.kind) {
    case 'published':
      return {
        ...tally,
        files,
        snapshots: tally.snapshots + 1,
        contracts: tally.contracts + result.contracts,
        rejectsByReason: summed(tally.rejectsByReason, result.rejectsByReason),
      }
    case 'repeated':
      return { ...tally, files, repeated: tally.repeated + 1 }
    case 'refused':
      return {
        ...tally,
        files,
        refused: tally.refused + 1,
        rejectsByReason: summed(tally.rejectsByReason, result.rejectsByReason ?? {}),
        refusalsByReason: summed(tally.refusalsByReason, { [result.reason]: 1 }),
      }
  }
}

type Counts<K extends string> = Readonly<Partial<Record<K, number>>>

function summed<K extends string>(a: Counts<K>, b: Counts<K>): Counts<K> {
  const sum: Partial<Record<K, number>> = { ...a }
  for (const [key, count] of Object.entries(b) as [K, number][]) sum[key] = (sum[key] ?? 0) + count
  return sum
}
