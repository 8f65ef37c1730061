import { describe, expect, it } from 'vitest'
import { inOrder } from './incarnations.ts'

describe('the order of incarnations', () => {
  it('is that of the times the stream was made, to the nanosecond, then of how often it had gone back', () => {
    const ordered = [
      '2026-06-22T14:00:00.5Z',
      '2026-06-22T14:00:00.5Z#1@12',
      '2026-06-22T14:00:00.5Z#2@7',
      '2026-06-22T14:00:00.5Z#10@3',
      '2026-06-22T14:00:00.500000001Z',
      '2026-06-22T14:00:00.500000002Z#1@0',
      '2026-06-22T15:00:00Z',
    ]
    expect(inOrder(ordered.toReversed())).toEqual(ordered)
    expect(inOrder([])).toEqual([])
  })
})
