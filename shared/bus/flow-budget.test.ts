import { expect, it } from 'vitest'
import { createFlowBudget } from './flow-budget.ts'

it('divides what the connection may have under way over its readers', () => {
  const budget = createFlowBudget(48_000_000)
  const leave = Array.from({ length: 16 }, () => budget.join())
  expect(budget.shareBytes()).toBe(3_000_000)
  leave[0]?.()
  leave[0]?.()
  expect(budget.shareBytes()).toBe(3_200_000)
})

it('never gives less than one message of the largest size needs', () => {
  const budget = createFlowBudget(10)
  budget.join()
  expect(budget.shareBytes()).toBeGreaterThan(1024 * 1024)
})
