import { expect, test } from 'vitest'
import { ByteBudget } from './byte-budget.ts'

test('refuses results beyond the budget until one is taken, however often it is given back', () => {
  const budget = new ByteBudget(10)
  const release = budget.hold(6)
  expect(() => budget.hold(5)).toThrow(/Code: 202/)
  release()
  release()
  budget.hold(10)
  expect(() => budget.hold(1)).toThrow(/would pass 10 bytes/)
})
