import { describe, expect, it } from 'vitest'
import { contractFlags } from '../../../shared/model/snapshot.ts'
import { chainOf, type ContractInput } from '../../../tests/fixtures/quant/chain-builder.ts'
import { countQuoteStates, markQuoteStates } from './quote-state.ts'

const marketTimeMs = Date.UTC(2026, 5, 22, 15)
const sessionStartS = Date.UTC(2026, 5, 22, 4) / 1000
const quote = (fields: Partial<ContractInput>): ContractInput => ({
  root: 'XYZ',
  expiry: '2026-07-17',
  strike: 100,
  right: 'C',
  ...fields,
})

/** A quote and the flag of its state. */
const cases: readonly (readonly [string, Partial<ContractInput>, number])[] = [
  ['two-sided', { bid: 1, ask: 1.1 }, 0],
  ['locked', { bid: 1, ask: 1 }, contractFlags.locked],
  ['crossed', { bid: 1.2, ask: 1.1 }, contractFlags.crossed],
  ['without a bid', { bid: 0, ask: 0.05 }, contractFlags.one_sided],
  ['with a bid missing', { ask: 0.05 }, contractFlags.one_sided],
  ['without an ask', { bid: 1, ask: 0 }, contractFlags.one_sided],
  ['empty', { bid: 0, ask: 0 }, contractFlags.unquoted],
  ['missing', {}, contractFlags.unquoted],
  ['negative', { bid: -1, ask: -1 }, contractFlags.unquoted],
]

const marked = (contracts: readonly ContractInput[]) => {
  const { columns } = chainOf(contracts, { marketTimeMs })
  const flags = new Uint16Array(columns.length)
  markQuoteStates(columns, sessionStartS, flags)
  return { columns, flags, rows: Int32Array.from(contracts.keys()) }
}

describe('the state of a quote', () => {
  it.each(cases)('is told for one %s', (_, fields, flag) => {
    expect([...marked([quote(fields)]).flags]).toEqual([flag])
  })

  it('goes with the flags the snapshot came with', () => {
    const { flags } = marked([quote({ bid: 1, ask: 1, flags: contractFlags.adjusted })])
    expect(flags[0]).toBe(contractFlags.adjusted | contractFlags.locked)
  })

  it('tells volume of a session before this one, and only volume', () => {
    const old = sessionStartS - 1
    const { flags } = marked([
      quote({ bid: 1, ask: 2, volume: 5, lastTradeAtS: old }),
      quote({ bid: 1, ask: 2, volume: 0, lastTradeAtS: old }),
      quote({ bid: 1, ask: 2, volume: 5, lastTradeAtS: sessionStartS }),
      quote({ bid: 1, ask: 2, volume: 5 }),
    ])
    expect([...flags]).toEqual([contractFlags.stale_volume, 0, 0, 0])
  })
})

describe('the states of a chain', () => {
  it('add up to its contracts', () => {
    const { columns, flags, rows } = marked(cases.map(([, fields]) => quote(fields)))
    const { medianSpreadPct, ...counts } = countQuoteStates(columns, rows, flags)
    expect(counts).toEqual({ nTwoSided: 1, nLocked: 1, nCrossed: 1, nOneSided: 3, nUnquoted: 3, nStaleVolume: 0 })
    expect(medianSpreadPct).toBeCloseTo(100 * (0.1 / 1.05), 10)
  })

  it('have the median spread of the two-sided quotes, in any order', () => {
    const spreads = [0.3, 0.1, 0.5, 0.2, 0.4]
    const { columns, flags, rows } = marked(
      spreads.map((spread) => quote({ bid: 1 - spread / 2, ask: 1 + spread / 2 })),
    )
    expect(countQuoteStates(columns, rows, flags).medianSpreadPct).toBeCloseTo(30, 10)
    expect(countQuoteStates(columns, rows.toReversed(), flags).medianSpreadPct).toBeCloseTo(30, 10)
  })

  it('have no median spread without a two-sided quote', () => {
    const { columns, flags, rows } = marked([quote({ bid: 0, ask: 1 })])
    expect(countQuoteStates(columns, rows, flags).medianSpreadPct).toBeNaN()
  })
})
