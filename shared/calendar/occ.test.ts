import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDay, parseDay } from './days.ts'
import { isAdjustedRoot, parseOccSymbol } from './occ.ts'

describe('OCC symbols', () => {
  it('are read from the right, padded or not', () => {
    expect(parseOccSymbol('IWM260622C00295000')).toEqual({
      root: 'IWM',
      expiryDay: parseDay('2026-06-22'),
      right: 1,
      strike: 295,
    })
    expect(parseOccSymbol('F     250912P00017000')).toEqual({
      root: 'F',
      expiryDay: parseDay('2025-09-12'),
      right: 2,
      strike: 17,
    })
    expect(parseOccSymbol('GOOGLX250912P00017500')).toMatchObject({ root: 'GOOGLX', strike: 17.5 })
    expect(parseOccSymbol('SHY270115C00082625')?.strike).toBe(82.625)
  })

  it('keep the digits of an adjusted root', () => {
    expect(parseOccSymbol('SDS1260717C00012000')).toMatchObject({ root: 'SDS1', strike: 12 })
    expect(parseOccSymbol('AAPL1 260717C00012000')?.root).toBe('AAPL1')
    expect(parseOccSymbol('4SPX260717C05000000')?.root).toBe('4SPX')
  })

  it('are null when anything is wrong', () => {
    const bad = [
      '',
      'IWM',
      'IWM260622C0029500',
      '260622C00295000',
      'IWM260631C00295000',
      'IWM261301C00295000',
      'IWM260622X00295000',
      'IWM260622c00295000',
      'iwm260622C00295000',
      'IWM260622C0029500x',
      'IWM260622C00000000',
      'O:IWM260622C00295000',
      'IWM 260622C00295000',
      ' IWM  260622C00295000',
      'I M   260622C00295000',
      '      260622C00295000',
      '123260622C00295000',
      'TOOLONG260622C00295000',
      'IWM260622C00295000 ',
      'IWM260622C-0295000',
      'BRK.B260622C00295000',
      'IWM2606é2C00295000',
    ]
    expect(bad.filter((text) => parseOccSymbol(text) !== null)).toEqual([])
    const noText = [null, undefined, 7, {}, []] as unknown as string[]
    expect(noText.filter((value) => parseOccSymbol(value) !== null)).toEqual([])
  })

  it('survive the round trip', () => {
    const contract = fc.record({
      root: fc.stringMatching(/^[A-Z][A-Z0-9]{0,5}$/),
      day: fc.integer({ min: parseDay('2000-01-01') ?? 0, max: parseDay('2099-12-31') ?? 0 }),
      right: fc.constantFrom(1 as const, 2 as const),
      thousandths: fc.integer({ min: 1, max: 99_999_999 }),
      padded: fc.boolean(),
    })
    fc.assert(
      fc.property(contract, ({ root, day, right, thousandths, padded }) => {
        const date = formatDay(day).slice(2).replaceAll('-', '')
        const symbol = `${padded ? root.padEnd(6) : root}${date}${right === 1 ? 'C' : 'P'}${String(thousandths).padStart(8, '0')}`
        expect(parseOccSymbol(symbol)).toEqual({ root, expiryDay: day, right, strike: thousandths / 1000 })
      }),
    )
  })

  it('never throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
        expect(() => parseOccSymbol(text)).not.toThrow()
      }),
    )
  })
})

describe('adjusted roots', () => {
  it('end in a digit under an underlying that does not', () => {
    expect(isAdjustedRoot('SDS1', 'SDS')).toBe(true)
    expect(isAdjustedRoot('AAPL7', 'AAPL')).toBe(true)
    expect(isAdjustedRoot('SDS', 'SDS')).toBe(false)
    expect(isAdjustedRoot('SPXW', 'SPX')).toBe(false)
    expect(isAdjustedRoot('BRKB', 'BRK.B')).toBe(false)
    expect(isAdjustedRoot('XYZ3', 'XYZ3')).toBe(false)
    expect(isAdjustedRoot('XYZ31', 'XYZ3')).toBe(true)
    expect(isAdjustedRoot('BRKB1', 'BRK.B')).toBe(true)
    expect(isAdjustedRoot('', 'SDS')).toBe(false)
    expect(isAdjustedRoot(undefined as unknown as string, null as unknown as string)).toBe(false)
  })
})
