import { describe, expect, it } from 'vitest'
import { riskFreeRate } from '../collector/providers/simulator/smile.ts'
import { standaloneSettings } from './config.ts'
import { processorEnvironment } from './service-environments.ts'

const settingsOf = (provider: string) => standaloneSettings.parse({ dataDirectory: 'data', provider })

describe('the rate of the processor', () => {
  it('is the one the simulated market is financed at', () => {
    const environment = processorEnvironment(settingsOf('simulator'), {})
    expect(Number(environment['PROCESSOR_RISK_FREE_RATE'])).toBe(riskFreeRate)
    expect(environment['PROCESSOR_CURVE_SOURCE']).toBe('simulator')
  })

  it('is left to the settings for real markets, and to the user always', () => {
    expect(processorEnvironment(settingsOf('cboe'), {})).toEqual({})
    expect(processorEnvironment(settingsOf('simulator'), { PROCESSOR_RISK_FREE_RATE: '0.05' })).toEqual({})
    expect(processorEnvironment(settingsOf('simulator'), { PROCESSOR_CURVE: '30:0.05' })).toEqual({})
  })
})
