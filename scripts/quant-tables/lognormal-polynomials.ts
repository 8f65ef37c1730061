import { erfcx, normalCdf, normalPdf } from '../../shared/quant/normal.ts'

/**
 * Total lognormal volatility is s = y P(y^2, x^2), with y the total normal volatility over sqrt(F K) and x = |ln(F/K)|.
 * Two polynomials, each for 0 < y^2 < highestY and 0 <= x^2 < highestX, with so many powers of y^2 and of x^2.
 */
export const polynomialShapes = {
  near: { highestY: 2, highestX: 1, powersOfY: 4, powersOfX: 3 },
  wide: { highestY: 5, highestX: 2.25, powersOfY: 7, powersOfX: 4 },
} as const

export type PolynomialShape = (typeof polynomialShapes)[keyof typeof polynomialShapes]

interface Sample {
  readonly y: number
  readonly x: number
  readonly s: number
  /** How much an error there counts: what one Householder step makes of it grows with (1 + u^2)^3, its fourth root here. */
  readonly weight: number
}

/** Coefficients of y^2i x^2j, j fastest, by least squares reweighted towards the smallest largest error; 13 digits. */
export function lognormalPolynomial(shape: PolynomialShape): { coefficients: number[]; worst: number } {
  const samples = samplesOf(shape)
  const rows = samples.map((sample) => chebyshevProducts(sample, shape))
  let weights = samples.map(() => 1)
  let best: number[] = []
  let worst = Infinity
  for (let round = 0; round < 40; round++) {
    const solved = leastSquares(rows, samples, weights)
    const errors = samples.map(({ weight, y, s }, i) => Math.abs(weight * ((y * dot(rows[i] ?? [], solved)) / s - 1)))
    const largest = Math.max(...errors)
    if (largest < worst) {
      worst = largest
      best = solved
    }
    // Lawson's reweighting, damped.
    weights = weights.map((weight, i) => weight * Math.sqrt((errors[i] ?? 0) / largest + 1e-3))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    weights = weights.map((weight) => (weight * weights.length) / total)
  }
  return { coefficients: toPowers(best, shape).map((c) => Number(c.toPrecision(13))), worst }
}

const samplesPerSide = 48

/** Chebyshev points of the box that have a lognormal volatility with something left to the price bound. */
function samplesOf({ highestY, highestX }: PolynomialShape): Sample[] {
  const points = Array.from(
    { length: samplesPerSide },
    (_, k) => 0.5 - 0.5 * Math.cos((Math.PI * (k + 0.5)) / samplesPerSide),
  )
  const samples: Sample[] = []
  for (const y2 of points)
    for (const x2 of points) {
      const sample = sampleAt(Math.sqrt(y2 * highestY), Math.sqrt(x2 * highestX))
      if (sample !== null) samples.push(sample)
    }
  return samples
}

function sampleAt(y: number, x: number): Sample | null {
  const h = (2 * Math.sinh(x / 2)) / y
  const logPrice = Math.log(y * (normalPdf(h) - h * normalCdf(-h)))
  // Far out the difference has no digits left; prices there are below 1e-40.
  if (h > 13 || logPrice > -x / 2 + Math.log(0.98)) return null
  const s = solve(logPrice, x, y)
  const u = x / (s * Math.SQRT2)
  return { y, x, s, weight: (1 + u * u) ** 0.75 }
}

/** Newton's method on the logarithm of the Black price. */
function solve(logPrice: number, x: number, guess: number): number {
  let s = guess
  for (let i = 0; i < 100; i++) {
    const u = x / (s * Math.SQRT2)
    const v = s / (2 * Math.SQRT2)
    const a = (erfcx(u - v) - erfcx(u + v)) / 2
    const step = (Math.log(a) - u * u - v * v - logPrice) * Math.sqrt(2 * Math.PI) * a
    s = Math.max(s / 2, s - step)
    if (Math.abs(step) < 1e-11 * s) return s
  }
  throw new Error(`no lognormal volatility for y = ${guess}, x = ${x}`)
}

/** Products of Chebyshev polynomials on the box, in which the least squares are well conditioned. */
function chebyshevProducts({ y, x }: Sample, shape: PolynomialShape): number[] {
  const inY = chebyshev((2 * y * y) / shape.highestY - 1, shape.powersOfY)
  const inX = chebyshev((2 * x * x) / shape.highestX - 1, shape.powersOfX)
  return inY.flatMap((a) => inX.map((b) => a * b))
}

function chebyshev(t: number, count: number): number[] {
  const values = [1, t]
  while (values.length < count) values.push(2 * t * (values.at(-1) ?? 0) - (values.at(-2) ?? 0))
  return values.slice(0, count)
}

/** Minimises sum weight (sampleWeight (y row·c / s - 1))^2 by modified Gram-Schmidt. */
function leastSquares(rows: readonly number[][], samples: readonly Sample[], weights: readonly number[]): number[] {
  const scale = samples.map((sample, i) => Math.sqrt(weights[i] ?? 0) * sample.weight)
  const size = rows[0]?.length ?? 0
  const columns = Array.from({ length: size }, (_, j) =>
    rows.map((row, i) => ((row[j] ?? 0) * (scale[i] ?? 0) * (samples[i]?.y ?? 0)) / (samples[i]?.s ?? 1)),
  )
  let rest = [...scale]
  const upper: number[][] = []
  const projected: number[] = []
  for (let j = 0; j < size; j++) {
    const column = columns[j] ?? []
    const length = Math.sqrt(dot(column, column))
    const unit = column.map((value) => value / length)
    upper.push(columns.map((other, k) => (k < j ? 0 : k === j ? length : dot(unit, other))))
    for (let k = j + 1; k < size; k++) columns[k] = minus(columns[k] ?? [], unit, upper[j]?.[k] ?? 0)
    const share = dot(unit, rest)
    projected.push(share)
    rest = minus(rest, unit, share)
  }
  return backSubstitute(upper, projected)
}

function backSubstitute(upper: readonly number[][], right: readonly number[]): number[] {
  const solved = right.map(() => 0)
  for (let j = right.length - 1; j >= 0; j--) {
    const row = upper[j] ?? []
    const known = row.reduce((sum, value, k) => (k > j ? sum + value * (solved[k] ?? 0) : sum), 0)
    solved[j] = ((right[j] ?? 0) - known) / (row[j] ?? 1)
  }
  return solved
}

/** From Chebyshev products on the box to powers of y^2 and x^2. */
function toPowers(coefficients: readonly number[], shape: PolynomialShape): number[] {
  const { powersOfY, powersOfX, highestY, highestX } = shape
  const inY = chebyshevPowers(powersOfY, highestY)
  const inX = chebyshevPowers(powersOfX, highestX)
  const powers = coefficients.map(() => 0)
  for (let a = 0; a < powersOfY; a++)
    for (let b = 0; b < powersOfX; b++)
      for (let i = 0; i <= a; i++)
        for (let j = 0; j <= b; j++)
          powers[i * powersOfX + j] =
            (powers[i * powersOfX + j] ?? 0) +
            (coefficients[a * powersOfX + b] ?? 0) * (inY[a]?.[i] ?? 0) * (inX[b]?.[j] ?? 0)
  return powers
}

/** Coefficients by power of z of T_n(2 z / highest - 1). */
function chebyshevPowers(count: number, highest: number): number[][] {
  const rows = [[1], [-1, 2 / highest]]
  while (rows.length < count) {
    const last = rows.at(-1) ?? []
    const before = rows.at(-2) ?? []
    rows.push(
      Array.from(
        { length: last.length + 1 },
        (_, j) => 2 * ((2 / highest) * (last[j - 1] ?? 0) - (last[j] ?? 0)) - (before[j] ?? 0),
      ),
    )
  }
  return rows
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

const minus = (a: readonly number[], b: readonly number[], times: number): number[] =>
  a.map((value, i) => value - times * (b[i] ?? 0))
