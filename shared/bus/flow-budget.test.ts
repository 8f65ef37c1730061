import { expect, it } from 'vitest'
import { createFlowBudget } from './flow-budget.ts'

it('keeps room for the readers that are still to come', () => {
  const budget = createFlowBudget(16, 48_000_000)
  let askedBytes = 0
  for (let i = 0; i < 16; i += 1) {
    budget.join()
    askedBytes += budget.shareBytes()
  }
  expect(askedBytes).toBeLessThanOrEqual(48_000_000)
})

it('gives less when there are more readers than expected, and more again when they have left', () => {
  const budget = createFlowBudget(2, 48_000_000)
  const leave = Array.from({ length: 4 }, () => budget.join())
  expect(budget.shareBytes()).toBe(12_000_000)
  leave[0]?.()
  leave[0]?.()
  expect(budget.shareBytes()).toBe(16_000_000)
})

it('never gives less than one message of the largest size needs', () => {
  expect(createFlowBudget(1_000).shareBytes()).toBeGreaterThan(1024 * 1024)
})
