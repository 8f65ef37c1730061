import { describe, expect, it } from 'vitest'
import { bracketedRoot } from './bracketed-root.ts'

/** The root, and how many evaluations it took. */
function solve(f: (x: number) => number, a: number, b: number, tolerance = 1e-10): { root: number; calls: number } {
  let calls = 0
  const counted = (x: number) => {
    calls++
    return f(x)
  }
  return { root: bracketedRoot(counted, [a, f(a)], [b, f(b)], tolerance), calls }
}

describe('a bracketed root', () => {
  it.each([
    ['rising', (x: number) => x * x * x - x - 2, 1, 2, 1.5213797068045676],
    ['falling', (x: number) => Math.exp(-x) - 0.5, 0, 4, Math.LN2],
    ['at the end of a flat stretch', (x: number) => Math.tanh(40 * (x - 0.7)), 0, 1, 0.7],
    ['without a slope', (x: number) => (x - 0.3) ** 5, 0, 1, 0.3],
  ])('is found on a function %s', (_, f, a, b, expected) => {
    const { root, calls } = solve(f, a, b)
    expect(Math.abs(root - expected)).toBeLessThanOrEqual(1e-10)
    // Bisection of the longest takes 35.
    expect(calls).toBeLessThanOrEqual(Math.ceil(Math.log2((b - a) / 2e-10)) + 1)
  })

  it('takes few evaluations where the function is smooth', () => {
    // Bisection takes 31.
    expect(solve((x) => Math.sin(x), 3, 3.3).calls).toBeLessThanOrEqual(8)
  })

  it('is returned at once where it is hit', () => {
    expect(solve((x) => x, -1, 1)).toEqual({ root: 0, calls: 1 })
  })

  it('ends on garbage', () => {
    expect(() => bracketedRoot(() => NaN, [0, NaN], [1, 1], 1e-10)).not.toThrow()
    expect(Number.isFinite(bracketedRoot(() => NaN, [0, -1], [1, 1], 1e-10))).toBe(true)
  })
})
