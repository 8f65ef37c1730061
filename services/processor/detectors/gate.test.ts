import { describe, expect, it } from 'vitest'
import { chainFeaturesOf } from '../../../tests/fixtures/quant/parameters.ts'
import { gateParameters, refusalOf } from './gate.ts'
import { detect, type DetectorStates } from './index.ts'

const good = { contractCompleteness: 1, slotCompleteness: 1, stalenessS: 0 }

describe('the gate before the detectors', () => {
  it.each([
    ['a whole and fresh chain', good, null],
    ['one at every floor', { contractCompleteness: 0.9, slotCompleteness: 0.5, stalenessS: 900 }, null],
    ['one that lacks contracts', { ...good, contractCompleteness: 0.8999 }, 'incomplete_chain'],
    ['one of a session with holes', { ...good, slotCompleteness: 0.4999 }, 'missing_slots'],
    ['one that is old', { ...good, stalenessS: 901 }, 'stale'],
    ['one of which nothing is known', { contractCompleteness: null, slotCompleteness: null, stalenessS: null }, null],
  ] as const)('says of %s', (_, figures, reason) => {
    expect(refusalOf(figures)).toBe(reason)
  })

  it('keeps a chain below the floor from raising anything and from being learnt', () => {
    const steps = Array.from({ length: 40 }, (_, i) => ({ volume: i * 1000 + (i >= 20 ? 50_000 : 0), torn: i === 20 }))
    let states: DetectorStates = {}
    const refused: { at: number; reason: string; learnt: boolean }[] = []
    const found = steps.flatMap(({ volume, torn }, i) => {
      const features = chainFeaturesOf({
        callVolume: volume,
        putVolume: 0,
        atmIv30d: torn ? 0.9 : 0.2,
        ...good,
        ...(torn && { contractCompleteness: gateParameters.minContractCompleteness - 0.01 }),
      })
      const before = states
      const observation = {
        underlying: 'SPY',
        provider: 'test',
        snapshotId: `s${i}`,
        marketTimeMs: i * 60_000,
        sessionDate: '2026-11-16',
        spot: 500,
        features,
      }
      const result = detect(observation, before)
      states = result.states
      if (result.refused !== null) refused.push({ at: i, reason: result.refused, learnt: result.states !== before })
      return result.detections.map(({ detector }) => `${detector.name}@${i}`)
    })
    expect(refused).toEqual([{ at: 20, reason: 'incomplete_chain', learnt: false }])
    // The burst shows as soon as a whole chain does.
    expect(found).toEqual(['volume_spike@21'])
  })
})
