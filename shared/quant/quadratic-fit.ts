/** A parabola's value, first and second derivative at 0. */
export interface QuadraticFit {
  readonly value: number
  readonly slope: number
  readonly curvature: number
}

const none: QuadraticFit = { value: NaN, slope: NaN, curvature: NaN }
/** Share of the fourth moment below which fewer than three places are told apart. */
const flatness = 1e-10

/**
 * Returns the weighted least-squares parabola through the first `count` points, NaN when they are fewer than three different
 * places or not all finite. Moments are taken about the weighted mean, so that points far from 0 lose no digits.
 */
export function quadraticFit(x: Float64Array, y: Float64Array, weight: Float64Array, count: number): QuadraticFit {
  let total = 0
  let sumX = 0
  let sumY = 0
  for (let i = 0; i < count; i++) {
    const w = weight[i] ?? NaN
    total += w
    sumX += w * (x[i] ?? NaN)
    sumY += w * (y[i] ?? NaN)
  }
  const meanX = sumX / total
  const meanY = sumY / total
  let x2 = 0
  let x3 = 0
  let x4 = 0
  let xy = 0
  let x2y = 0
  for (let i = 0; i < count; i++) {
    const dx = (x[i] ?? NaN) - meanX
    const dy = (y[i] ?? NaN) - meanY
    const wx2 = (weight[i] ?? NaN) * dx * dx
    x2 += wx2
    x3 += wx2 * dx
    x4 += wx2 * dx * dx
    xy += (weight[i] ?? NaN) * dx * dy
    x2y += wx2 * dy
  }
  // Normal equations of y = a + b dx + c dx^2, solved for c, b, a in turn.
  const spread = x4 - (x2 * x2) / total - (x3 * x3) / x2
  if (!(spread > flatness * x4)) return none
  const c = (x2y - (x3 * xy) / x2) / spread
  const b = (xy - c * x3) / x2
  const a = meanY - (c * x2) / total
  return { value: a - meanX * (b - c * meanX), slope: b - 2 * c * meanX, curvature: 2 * c }
}
