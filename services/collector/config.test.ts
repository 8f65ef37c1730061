import { describe, expect, it } from 'vitest'
import { readConfig } from './config.ts'
import { canonicalTickers } from './plan.ts'
import { scanIdOf } from './scan-id.ts'

describe('readConfig', () => {
  it('runs the simulator when nothing is set', () => {
    expect(readConfig({}).collector.provider).toBe('simulator')
  })

  it('reads tickers as people write them', () => {
    const config = readConfig({ COLLECTOR_PROVIDER: 'cboe', COLLECTOR_UNDERLYINGS: 'spy, brk-b ,^SPX,SPY' })
    expect(config.collector.underlyings).toEqual(['SPY', 'BRK.B', 'SPX'])
  })

  it.each([
    [{ COLLECTOR_PROVIDER: 'yahoo' }, 'COLLECTOR_PROVIDER'],
    [{ COLLECTOR_INTERVALMS: '5' }, 'COLLECTOR_INTERVALMS is not a setting'],
    [{ COLLECTOR_PROVIDER: 'recording' }, 'COLLECTOR_RECORDING_PATH'],
    [{ COLLECTOR_PROVIDER: 'cboe' }, 'COLLECTOR_UNDERLYINGS'],
    [{ COLLECTOR_SPEED: '-1' }, 'COLLECTOR_SPEED'],
  ])('refuses %j and names the variable', (env, name) => {
    expect(() => readConfig(env)).toThrow(name)
  })
})

it('gives each ticker once, as the model writes it', () => {
  expect(canonicalTickers(['_spx', 'BRK-B', 'brk.b'])).toEqual(['SPX', 'BRK.B'])
})

describe('scanIdOf', () => {
  const startedAtMs = Date.UTC(2026, 6, 16, 15, 16, 47, 116)

  it('says when the pass began and is the same for the same pass', () => {
    expect(scanIdOf('cboe', ['A', 'B'], startedAtMs)).toMatch(/^20260716T151647Z-[0-9a-f]{8}$/)
    expect(scanIdOf('cboe', ['A', 'B'], startedAtMs)).toBe(scanIdOf('cboe', ['A', 'B'], startedAtMs))
  })

  it('differs by provider, universe and millisecond', () => {
    const ids = [
      scanIdOf('cboe', ['A', 'B'], startedAtMs),
      scanIdOf('x', ['A', 'B'], startedAtMs),
      scanIdOf('cboe', ['A'], startedAtMs),
      scanIdOf('cboe', ['A', 'B'], startedAtMs + 1),
    ]
    expect(new Set(ids).size).toBe(4)
  })
})
