/** Of durations in milliseconds. */
export interface Quantiles {
  readonly n: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** Nearest rank: each figure is a duration that was measured. NaN of nothing. */
export function quantilesOf(durationsMs: readonly number[]): Quantiles {
  const sorted = Float64Array.from(durationsMs).sort()
  const at = (share: number): number =>
    Math.round((sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN) * 100) / 100
  return { n: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}
