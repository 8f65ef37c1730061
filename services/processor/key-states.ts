import type { SnapshotMeta } from '../../shared/model/snapshot.ts'
import type { DetectorStates } from './detectors/index.ts'
import type { KnownCarry } from './features/forward.ts'

/** What is remembered of one (underlying, provider): nothing is ever compared across providers. Plain JSON. */
export interface KeyState {
  readonly marketTimeMs: number
  readonly contentHash: string
  readonly detectors: DetectorStates
  /** Absent in states stored before it was kept. */
  readonly carries?: readonly KnownCarry[]
}

/** What decides how a snapshot stands to others. */
export type SnapshotKey = Pick<
  SnapshotMeta,
  'snapshotId' | 'underlying' | 'provider' | 'marketTimeMs' | 'contentHash' | 'timeKind'
>

/** How a snapshot stands to the last one of its key. */
export interface Standing {
  /** Not newer than the last: stored, but touches neither state nor alerts. */
  readonly late: boolean
  /** Time moved on over the very same content: no news. */
  readonly contentUnchanged: boolean
  /** False when the snapshot cannot have been stored before, whatever the sink holds. */
  readonly mayBeStored: boolean
}

export class KeyStates {
  readonly #states = new Map<string, KeyState>()
  readonly #isFirst: boolean

  /** `isFirst` when nothing was ever committed where these keys live: then nothing of an unknown key can be stored. */
  constructor(isFirst: boolean) {
    this.#isFirst = isFirst
  }

  get(key: Pick<SnapshotKey, 'underlying' | 'provider'>): KeyState | undefined {
    return this.#states.get(keyOf(key))
  }

  set(key: Pick<SnapshotKey, 'underlying' | 'provider'>, state: KeyState): void {
    this.#states.set(keyOf(key), state)
  }

  standing(key: SnapshotKey): Standing {
    const last = this.get(key)
    if (last === undefined) return { late: false, contentUnchanged: false, mayBeStored: !this.#isFirst }
    const late = key.marketTimeMs <= last.marketTimeMs
    return {
      late,
      contentUnchanged: !late && key.contentHash === last.contentHash,
      // A fetch time is no part of the identity: the same content may come again under a newer time.
      mayBeStored: late || key.timeKind === 'fetch',
    }
  }
}

const keyOf = ({ underlying, provider }: Pick<SnapshotKey, 'underlying' | 'provider'>): string =>
  `${provider}\0${underlying}`
