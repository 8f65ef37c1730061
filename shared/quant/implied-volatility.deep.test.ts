import { describe, expect, it } from 'vitest'
import { fuzzVolatilities } from '../../tests/fixtures/quant/fuzz.ts'

const rounds = 100
const casesPerRound = 2000
const minutes = 60_000

describe('implied volatility', () => {
  it(
    'holds against 60 digits in 200,000 corner cases',
    () => {
      const startedMs = performance.now()
      let worst = 0
      let worstRatio = 0
      for (let round = 1; round <= rounds; round++) {
        const result = fuzzVolatilities(1000 + round, casesPerRound)
        expect(result.failures).toEqual([])
        worst = Math.max(worst, result.worst)
        worstRatio = Math.max(worstRatio, result.worstRatio)
        const seconds = (performance.now() - startedMs) / 1000
        process.stdout.write(
          `${round * casesPerRound} of ${rounds * casesPerRound} cases, ${seconds.toFixed(0)} s: worst IV error ` +
            `${worst.toExponential(1)}, ${worstRatio.toFixed(2)} x what is allowed\n`,
        )
      }
    },
    60 * minutes,
  )
})
