import { Random } from './random.ts'

/** Everything that can go wrong, by the part it happens to. */
export const faultKinds = [
  // Processors.
  'killed',
  'killed at a point',
  'stopped',
  'stopped at a point',
  'stopped in mid body',
  'left',
  'joined',
  'replaced under its name',
  // The bus: requests, streams, buckets.
  'bus away',
  'bus request lost',
  'bus answer lost',
  'bus request late',
  'consumer deleted',
  'watch delayed',
  'bucket lost',
  'stream purged',
  'message deleted',
  'stream made anew',
  'stream lost its end',
  'publish answer lost',
  // The store.
  'store away',
  'store request lost',
  'store answer lost',
  'insert late',
  'insert too slow',
  'insert refused',
  'insert in blocks',
  'insert cut off',
  'tables broken',
  'reading failed',
  'reading slow',
  'power cut of the store',
  // Messages.
  'copy',
  'late snapshot',
  'undecodable',
  'uncomputable',
  'unpublishable',
  'unkeepable',
  'deadly',
  'dead letter replayed',
  'unstorable',
] as const
export type FaultKind = (typeof faultKinds)[number]

const lossesOfTheStream: readonly FaultKind[] = [
  'stream purged',
  'message deleted',
  'stream made anew',
  'stream lost its end',
]

/** Came later: chosen by chances of their own, so that the seeds that have found something before still have the same run. */
const apart: readonly FaultKind[] = ['unstorable']

/** Which faults a run has and how often: some kinds are left out of each run altogether, others come in swarms. */
export class Faults {
  readonly counts = new Map<FaultKind, number>()
  readonly #random: Random
  readonly #apart: Random
  readonly #intensity = new Map<FaultKind, number>()
  #areOn = true

  constructor(random: Random, seed: number) {
    this.#random = random
    this.#apart = new Random(seed + 0x5eed)
    for (const kind of faultKinds) {
      const chances = this.#chancesOf(kind)
      this.#intensity.set(kind, chances.chance(0.25) ? 0 : chances.between(0.3, 2.2))
    }
    // One or the other: a power cut is repaired from a stream that still has everything.
    const excluded: readonly FaultKind[] = random.chance(0.5) ? ['power cut of the store'] : lossesOfTheStream
    for (const kind of excluded) this.#intensity.set(kind, 0)
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0)
  }

  get areOn(): boolean {
    return this.#areOn
  }

  end(): void {
    this.#areOn = false
  }

  /** Decides whether a fault happens here, and counts it when it does. */
  strikes(kind: FaultKind, probability: number): boolean {
    if (!this.#areOn) return false
    const strikes = this.#chancesOf(kind).chance(probability * (this.#intensity.get(kind) ?? 0))
    if (strikes) this.count(kind)
    return strikes
  }

  #chancesOf(kind: FaultKind): Random {
    return apart.includes(kind) ? this.#apart : this.#random
  }

  isPossible(kind: FaultKind): boolean {
    return this.#areOn && this.#intensity.get(kind) !== 0
  }

  count(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }
}
