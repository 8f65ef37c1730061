import { tableCdf, tablePdf } from './normal-table.ts'

const maximumSteps = 40
/** Of the last step, relative: the error after it is of the order of its square. */
const tolerance = 1e-4

/**
 * Returns ln of the critical price of an American put on strike 1 by QD+: Li, "Analytical approximations for the critical stock
 * prices of American options: a performance comparison" (Review of Derivatives Research 13, 2010). The first guess of the
 * exercise boundary. Rate, sigma and years must be positive; the search is Newton's inside a bracket, so it always ends.
 */
export function logCriticalPrice(rate: number, dividendYield: number, sigma: number, years: number): number {
  const variance = sigma * sigma
  const omega = (2 * (rate - dividendYield)) / variance
  const alpha = (2 * rate) / variance
  const h = -Math.expm1(-rate * years)
  const root = Math.sqrt((omega - 1) * (omega - 1) + (4 * alpha) / h)
  const lambda = -(omega - 1 + root) / 2
  const lambdaSlope = alpha / (h * h * root)
  // With e = 1 - B - p(B), Li's c0 is flat - thetaShare * theta / e, and 2 lambda + omega - 1 is -root.
  const kappa = ((1 - h) * alpha) / root
  const flat = kappa * (1 / h - lambdaSlope / root)
  const thetaShare = 2 / (variance * root)
  const s = sigma * Math.sqrt(years)
  const carry = rate - dividendYield
  const growth = Math.exp(-dividendYield * years)
  const atExpiry = dividendYield > rate ? rate / dividendYield : 1
  let low = 0
  let high = atExpiry
  let boundary = firstGuess(omega, alpha, carry * years, s, atExpiry)
  for (let step = 0; step < maximumSteps; step++) {
    const d1 = (Math.log(boundary) + carry * years) / s + 0.5 * s
    const d2 = d1 - s
    const n1 = growth * tableCdf(-d1)
    const n2 = (1 - h) * tableCdf(-d2)
    const density = growth * tablePdf(d1)
    const premium = 1 - boundary - n2 + boundary * n1
    const theta = (-boundary * variance * density) / (2 * s) + rate * n2 - dividendYield * boundary * n1
    const charm = -dividendYield * n1 - density * (carry / s - d2 / (2 * years))
    // Smooth pasting, with c0 e written without dividing by e, which may vanish on the way.
    const value = boundary * (1 - n1) + (lambda + flat) * premium - thetaShare * theta
    const slope = 1 - n1 + density / s + (lambda + flat) * (n1 - 1) - thetaShare * charm
    if (value > 0) high = boundary
    else low = boundary
    const newton = boundary - value / slope
    const next = newton > low && newton < high ? newton : 0.5 * (low + high)
    const isDone = Math.abs(next - boundary) < tolerance * boundary
    boundary = next
    if (isDone) break
  }
  return Math.log(boundary)
}

/** Barone-Adesi and Whaley, "Efficient analytic approximation of American option values" (1987), equation 38 for a put. */
function firstGuess(omega: number, alpha: number, drift: number, s: number, atExpiry: number): number {
  const perpetual = -(omega - 1 + Math.sqrt((omega - 1) * (omega - 1) + 4 * alpha)) / 2
  const bottom = perpetual / (perpetual - 1)
  const guess = bottom + (atExpiry - bottom) * Math.exp((drift - 2 * s) / (1 - bottom))
  return guess > 0 && guess < atExpiry ? guess : 0.5 * (bottom + atExpiry)
}
