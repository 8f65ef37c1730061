import { gaussLegendre } from './gauss-legendre.ts'

/**
 * How finely the exercise boundary is computed: (n, m, l, p) of Andersen, Lake and Offengenden, "High Performance American
 * Option Pricing" (SSRN 2547027): n + 1 Chebyshev nodes in sqrt(tau), m fixed-point steps, order l of the quadrature in each
 * step, order p of the quadrature of the price. All weights that depend on neither rates nor volatility are here: the
 * nodes of the inner quadratures fall on fixed fractions of the time to expiry, so interpolating the boundary to them is a
 * constant matrix.
 */
export interface Scheme {
  readonly steps: number
  readonly nodeCount: number
  /** sqrt(tau / T) of nodes 1..n; node 0 is expiry itself, where the boundary is known. */
  readonly node: Float64Array
  readonly inner: InnerQuadrature
  readonly outer: InnerQuadrature
}

/** Integrals over w in (0, tau) by w = tau s^2, which takes the square-root singularity away. */
interface InnerQuadrature {
  readonly order: number
  readonly s: Float64Array
  /** 1 / s. */
  readonly inverse: Float64Array
  /** Of the integral in s over (0, 1). */
  readonly weight: Float64Array
  /** Rows to the values at nodes 1..n: [target node][quadrature point][node]. The value at node 0 is 0. */
  readonly toPoint: Float64Array
}

export type SchemeName = 'estimate' | 'fast' | 'standard' | 'accurate'

/** (n, m, l, p); figures in docs/american.md. `estimate` takes the first guess (QD+) for the boundary. */
const orders: Readonly<Record<SchemeName, readonly [number, number, number, number]>> = {
  estimate: [4, 0, 1, 7],
  fast: [5, 1, 5, 11],
  standard: [7, 2, 7, 19],
  accurate: [12, 4, 15, 31],
}

function createScheme([n, m, l, p]: readonly [number, number, number, number]): Scheme {
  const node = Float64Array.from({ length: n }, (_, i) => (1 - Math.cos(((i + 1) * Math.PI) / n)) / 2)
  return {
    steps: m,
    nodeCount: n,
    node,
    inner: quadratureTo(node, l, n),
    outer: quadratureTo(Float64Array.of(1), p, n),
  }
}

/** A quadrature over (0, target^2) for each target, with the rows that interpolate from the n + 1 Chebyshev nodes. */
function quadratureTo(targets: Float64Array, order: number, n: number): InnerQuadrature {
  const rule = gaussLegendre(order)
  const s = rule.nodes.map((y) => (1 + y) / 2)
  const toPoint = new Float64Array(targets.length * order * n)
  targets.forEach((target, i) => {
    s.forEach((root, k) => {
      const row = chebyshevRow(target * Math.sqrt(1 - root * root), n)
      toPoint.set(row.subarray(1), (i * order + k) * n)
    })
  })
  return { order, s, inverse: s.map((root) => 1 / root), weight: rule.weights.map((weight) => weight / 2), toPoint }
}

/** Weights of the values at x_j = (1 - cos(j pi / n)) / 2 in their interpolating polynomial at x: the barycentric formula. */
export function chebyshevRow(x: number, n: number): Float64Array {
  const row = new Float64Array(n + 1)
  let sum = 0
  for (let j = 0; j <= n; j++) {
    const gap = x - (1 - Math.cos((j * Math.PI) / n)) / 2
    if (gap === 0) return row.fill(0).fill(1, j, j + 1)
    row[j] = ((j % 2 === 0 ? 1 : -1) * (j === 0 || j === n ? 0.5 : 1)) / gap
    sum += row[j] ?? 0
  }
  return row.map((weight) => weight / sum)
}

export const schemes: Readonly<Record<SchemeName, Scheme>> = {
  estimate: createScheme(orders.estimate),
  fast: createScheme(orders.fast),
  standard: createScheme(orders.standard),
  accurate: createScheme(orders.accurate),
}
