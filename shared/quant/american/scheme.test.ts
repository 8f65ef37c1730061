import { describe, expect, it } from 'vitest'
import { normalCdf, normalPdf } from '../normal.ts'
import { gaussLegendre } from './gauss-legendre.ts'
import { tableCdf, tablePdf } from './normal-table.ts'
import { chebyshevRow, schemes } from './scheme.ts'

describe('Gauss-Legendre quadrature', () => {
  it('has the published nodes and weights of order 5', () => {
    const { nodes, weights } = gaussLegendre(5)
    // Abramowitz & Stegun, table 25.4.
    const published = [
      [-0.906179845938664, 0.236926885056189],
      [-0.538469310105683, 0.478628670499366],
      [0, 0.568888888888889],
    ]
    published.forEach(([node = NaN, weight = NaN], i) => {
      expect(nodes[i]).toBeCloseTo(node, 14)
      expect(weights[i]).toBeCloseTo(weight, 14)
      expect(weights[4 - i]).toBeCloseTo(weight, 14)
    })
  })

  it.for([1, 5, 7, 11, 15, 19, 31])('of order %i is exact for polynomials up to twice that', (order) => {
    const { nodes, weights } = gaussLegendre(order)
    for (let power = 0; power < 2 * order; power++) {
      const integral = nodes.reduce((sum, node, i) => sum + (weights[i] ?? NaN) * node ** power, 0)
      expect(integral).toBeCloseTo(power % 2 === 0 ? 2 / (power + 1) : 0, 13)
    }
  })
})

describe('a scheme', () => {
  it('interpolates polynomials of its degree exactly', () => {
    for (const x of [0, 0.01, 0.3, 0.5, 0.97, 1]) {
      const row = chebyshevRow(x, 7)
      const value = row.reduce((sum, weight, j) => sum + weight * ((1 - Math.cos((j * Math.PI) / 7)) / 2) ** 6, 0)
      expect(value).toBeCloseTo(x ** 6, 13)
    }
  })

  it('ends its nodes at the time to expiry', () => {
    for (const { node, nodeCount } of Object.values(schemes)) {
      expect(node).toHaveLength(nodeCount)
      expect(node.at(-1)).toBe(1)
      expect(node.every((x, i) => x > (node[i - 1] ?? 0))).toBe(true)
    }
  })
})

describe('the tabulated normal law', () => {
  it('agrees with the exact one', () => {
    for (let x = -9; x <= 9; x += 0.00137) {
      expect(Math.abs(tableCdf(x) - normalCdf(x))).toBeLessThan(1e-12)
      expect(Math.abs(tablePdf(x) - normalPdf(x))).toBeLessThan(1e-9)
    }
  })

  it('takes anything', () => {
    expect([tableCdf(Infinity), tableCdf(-Infinity), tableCdf(NaN)]).toEqual([1, 0, NaN])
    expect([tablePdf(Infinity), tablePdf(-Infinity), tablePdf(NaN)]).toEqual([0, 0, 0])
  })
})
