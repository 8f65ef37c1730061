import { describe, expect, it } from 'vitest'
import { sizeFactor } from './universe.ts'

const total = (sizes: readonly number[], factor: number): number =>
  sizes.reduce((sum, size) => sum + Math.min(20_000, size * factor), 0)

describe('sizes of simulated chains', () => {
  it.each([
    { sizes: [10, 20, 70], contracts: 1000 },
    { sizes: [10_600, 4_300, 200, 100], contracts: 60_000 },
    { sizes: [10_600, 9_000, 8_000], contracts: 59_000 },
  ])('add up to $contracts with none too large for one message', ({ sizes, contracts }) => {
    expect(total(sizes, sizeFactor(sizes, contracts))).toBeCloseTo(contracts, 6)
  })

  it('are the largest there are where more is asked for than fits', () => {
    expect(total([100, 10], sizeFactor([100, 10], 1_000_000))).toBe(40_000)
  })
})
