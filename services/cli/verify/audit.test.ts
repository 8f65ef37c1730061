import { expect, it } from 'vitest'
import { kindOf } from './audit.ts'

it('tells rows that FINAL shows once from those it shows too many of, and both from what is lost', () => {
  expect(kindOf({ promised: 2, there: 2, shown: 2 })).toBe('doubled')
  expect(kindOf({ promised: 2, there: 2, shown: 3 })).toBe('extra')
  expect(kindOf({ promised: 0, there: 1, shown: 1 })).toBe('extra')
  expect(kindOf({ promised: 2, there: 1, shown: 3 })).toBe('torn')
  expect(kindOf({ promised: 2, there: 0, shown: 0 })).toBe('missing')
})
