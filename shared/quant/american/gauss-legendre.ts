export interface Quadrature {
  /** Ascending in (-1, 1). */
  readonly nodes: Float64Array
  readonly weights: Float64Array
}

/**
 * Gauss-Legendre nodes and weights on (-1, 1) by Newton's method on the Legendre recurrence from Tricomi's first guess
 * (Abramowitz & Stegun 22.16.6 and 25.4.29). Exact to rounding for the orders used here.
 */
export function gaussLegendre(order: number): Quadrature {
  const nodes = new Float64Array(order)
  const weights = new Float64Array(order)
  for (let i = 0; i < order; i++) {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (order + 0.5))
    let slope = 1
    for (let step = 0; step < 10; step++) {
      const { value, previous } = legendre(order, x)
      slope = (order * (previous - x * value)) / (1 - x * x)
      const change = value / slope
      x -= change
      if (Math.abs(change) < 1e-16) break
    }
    nodes[i] = x
    weights[i] = 2 / ((1 - x * x) * slope * slope)
  }
  return { nodes, weights }
}

function legendre(order: number, x: number): { value: number; previous: number } {
  let previous = 1
  let value = x
  for (let k = 2; k <= order; k++) [previous, value] = [value, ((2 * k - 1) * x * value - (k - 1) * previous) / k]
  return order === 0 ? { value: 1, previous: 0 } : { value, previous }
}
