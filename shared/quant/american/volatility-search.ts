/** Something whose price rises with volatility, less the price looked for. */
export interface PriceGap {
  gapAt(sigma: number): number
}

const maximumSteps = 60
/** Last step of the search, relative to sigma; the secant's error after it is of the order of its square. */
const lastStep = 1e-6

/**
 * Returns the volatility in (low, high) where the gap vanishes, an end where it does not: the secant method inside a bracket
 * that only shrinks. `start` has been evaluated already, `slope` is a first guess of the derivative there.
 */
export function searchVolatility(
  price: PriceGap,
  low: number,
  high: number,
  start: number,
  startGap: number,
  slope: number,
): number {
  let sigma = start
  let gap = startGap
  let bottom = gap > 0 ? low : sigma
  let top = gap > 0 ? sigma : high
  for (let step = 0; step < maximumSteps; step++) {
    const guess = sigma - gap / slope
    const next = guess > bottom && guess < top ? guess : 0.5 * (bottom + top)
    const change = next - sigma
    if (Math.abs(change) < lastStep * sigma) return next
    const nextGap = price.gapAt(next)
    if (nextGap > 0) top = next
    else bottom = next
    slope = (nextGap - gap) / change
    sigma = next
    gap = nextGap
  }
  return sigma
}
