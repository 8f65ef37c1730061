/** A running level of a noisy figure: exponentially weighted mean, rounded so that a stored state is the state. */
export interface Baseline {
  readonly n: number
  readonly mean: number
}

export const emptyBaseline: Baseline = { n: 0, mean: 0 }

/**
 * Returns the baseline after one more value. Until `1 / weight` values are in, it is their plain mean, so that the first
 * value does not count for everything.
 */
export function updated({ n, mean }: Baseline, value: number, weight: number): Baseline {
  const share = Math.max(weight, 1 / (n + 1))
  return { n: n + 1, mean: roundTo(mean + share * (value - mean), 9) }
}

/** Rounds half away from zero to so many decimals. */
export const roundTo = (value: number, decimals: number): number => {
  const scale = 10 ** decimals
  return (Math.sign(value) * Math.round(Math.abs(value) * scale)) / scale
}
