import { expect, it } from 'vitest'
import type { CommitDamage } from '../../../shared/store/queries/commit-audit.ts'
import { kindOf } from './audit.ts'
import { restoreCommand } from './render.ts'

it('tells rows that FINAL shows once from those it shows too many of, and both from what is lost', () => {
  expect(kindOf({ promised: 2, there: 2, shown: 2 })).toBe('doubled')
  expect(kindOf({ promised: 2, there: 2, shown: 3 })).toBe('extra')
  expect(kindOf({ promised: 0, there: 1, shown: 1 })).toBe('extra')
  expect(kindOf({ promised: 2, there: 1, shown: 3 })).toBe('torn')
  expect(kindOf({ promised: 2, there: 0, shown: 0 })).toBe('missing')
})

it('names a restore that a shell takes as it is meant', () => {
  const gone = (underlying: string) => ({ underlying, marketTimeMs: 0 }) as CommitDamage
  expect(restoreCommand([gone('SPY'), gone('BRK.B')])).toMatch(/ --underlyings BRK\.B,SPY$/)
  expect(restoreCommand([gone('M&M'), gone('^SPX')])).toMatch(/ --underlyings 'M&M,\^SPX'$/)
})
