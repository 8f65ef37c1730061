import { describe, expect, it } from 'vitest'
import { faultAt, isSkipped, parseFaults } from './faults.ts'
import { createSimulator } from './simulator.ts'

describe('planned faults', () => {
  it('are read as underlying, what happens and passes', () => {
    expect(parseFaults('AAPL timeout 5-8; * skipped 20 ;')).toEqual([
      { underlying: 'AAPL', kind: 'timeout', from: 5, to: 8 },
      { underlying: '*', kind: 'skipped', from: 20, to: 20 },
    ])
  })

  it.each(['AAPL burning 1', 'AAPL timeout', 'AAPL timeout 8-5', 'AAPL skipped 3'])('refuse %s', (text) => {
    expect(() => parseFaults(text)).toThrow(/Expected faults such as/)
  })

  it('hold in their passes, both ends included', () => {
    const faults = parseFaults('SPY schema 2-3; * skipped 5')
    expect([1, 2, 3, 4].map((pass) => faultAt(faults, 'SPY', pass)?.kind)).toEqual([
      undefined,
      'schema',
      'schema',
      undefined,
    ])
    expect(faultAt(faults, 'QQQ', 2)).toBeUndefined()
    expect([4, 5, 6].map((pass) => isSkipped(faults, pass))).toEqual([false, true, false])
  })

  it('refuse, repeat and leave out what they name, and the market goes on underneath', async () => {
    const faults = parseFaults('SPY timeout 1; SPY unchanged 3-4; * skipped 5')
    const simulator = createSimulator({ underlyings: ['SPY', 'QQQ'], contractsTotal: 100, passes: 7, speed: 0, faults })
    const { signal } = new AbortController()
    const seen: string[] = []
    for await (const { items, position, startedAtMs } of simulator.passes(signal)) {
      for (const item of items) {
        const outcome = await item.fetch({ scanId: 's', signal })
        const lag =
          outcome.kind === 'refused' ? outcome.reason : (startedAtMs - outcome.snapshot.meta.marketTimeMs) / 60_000
        seen.push(`${position.index} ${item.underlying} ${lag}`)
      }
    }
    expect(seen.filter((line) => line.includes('SPY'))).toEqual([
      '0 SPY 0',
      '1 SPY timeout',
      '2 SPY 0',
      '3 SPY 1',
      '4 SPY 2',
      '6 SPY 0',
    ])
    expect(seen.filter((line) => line.includes('QQQ'))).toHaveLength(6)
  })
})
