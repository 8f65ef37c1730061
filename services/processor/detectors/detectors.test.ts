import { describe, expect, it } from 'vitest'
import { chainFeaturesOf } from '../../../tests/fixtures/quant/parameters.ts'
import type { Observation } from './detector.ts'
import { detect, type DetectorStates } from './index.ts'

const features = chainFeaturesOf({
  nContracts: 100,
  nUsed: 80,
  atmIv30d: 0.2,
  callVolume: 0,
  putVolume: 0,
  quality: 90,
})

const start = Date.UTC(2026, 10, 16, 14, 30)

/** Runs minute snapshots through the detectors and returns `name@minute` of each finding. */
function run(
  steps: readonly { readonly volume: number; readonly iv: number | null; readonly session?: string }[],
): string[] {
  let states: DetectorStates = {}
  return steps.flatMap(({ volume, iv, session = '2026-11-16' }, minute) => {
    const observation: Observation = {
      underlying: 'SPY',
      provider: 'test',
      snapshotId: `s${minute}`,
      marketTimeMs: start + minute * 60_000,
      sessionDate: session,
      spot: 500,
      features: { ...features, callVolume: volume, atmIv30d: iv },
    }
    // Through JSON, as it is stored between snapshots.
    const result = detect(observation, JSON.parse(JSON.stringify(states)) as DetectorStates)
    states = result.states
    return result.detections.map(({ detector }) => `${detector.name}@${minute}`)
  })
}

const calm = (minutes: number) => Array.from({ length: minutes }, (_, minute) => ({ volume: minute * 1000, iv: 0.2 }))

describe('detectors', () => {
  it('find a burst of volume once, and not its echo in the total', () => {
    const steps = calm(30).map((step, minute) => (minute >= 20 ? { ...step, volume: step.volume + 12_000 } : step))
    expect(run(steps)).toEqual(['volume_spike@20'])
  })

  it('say nothing before they know what is usual', () => {
    expect(
      run(calm(6).map((step, minute) => (minute >= 5 ? { ...step, volume: step.volume + 50_000 } : step))),
    ).toEqual([])
  })

  it('do not take the reset of volume at a new session for anything', () => {
    const next = calm(20).map((step) => ({ ...step, session: '2026-11-17' }))
    expect(run([...calm(20), ...next])).toEqual([])
  })

  it('do not take a corrected, lower total for anything', () => {
    const steps = calm(30).map((step, minute) => (minute === 20 ? { ...step, volume: 10_000 } : step))
    expect(run(steps).filter((name) => name === 'volume_spike@20')).toEqual([])
  })

  it('find a rise of implied volatility once while it lasts, and the next one after it came back', () => {
    const iv = (minute: number) => ((minute >= 15 && minute < 20) || minute >= 40 ? 0.28 : 0.2)
    expect(run(calm(45).map((step, minute) => ({ ...step, iv: iv(minute) })))).toEqual(['iv_spike@15', 'iv_spike@40'])
  })

  it('wait for a rise beyond the usual noise of a jumpy underlying', () => {
    const jumpy = calm(40).map((step, minute) => ({ ...step, iv: 0.4 + (minute % 2) * 0.02 }))
    expect(run(jumpy)).toEqual([])
  })

  it('pass over snapshots without an implied volatility', () => {
    expect(run(calm(30).map((step, minute) => ({ ...step, iv: minute % 3 === 0 ? null : 0.2 })))).toEqual([])
  })
})
