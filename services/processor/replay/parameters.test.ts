import { describe, expect, it } from 'vitest'
import type { Conventions } from '../../../shared/store/queries/replay.ts'
import { codeVersionOf, featureParams, processorSettings } from '../config.ts'
import { resolveParameters } from './parameters.ts'

const version = '1.2.3'
const configured = processorSettings.parse({})
const conventionsOf = (codeVersion: string, change: Partial<Conventions> = {}): Conventions => ({
  codeVersion,
  riskFreeRate: 0.04,
  curveSource: 'simulator',
  curveDate: '2026-06-22',
  ivMethod: 'european_otm',
  ...change,
})
const resolve = (codeVersion: string, stored: readonly Conventions[], settings = configured) =>
  resolveParameters(new Map([[codeVersion, 7]]), stored, settings, version)

describe('the parameters rows were computed with', () => {
  it('are those of the environment where the code version says so', () => {
    const { known, unknown } = resolve(codeVersionOf(version, configured), [])
    expect(unknown).toEqual([])
    expect(known[0]?.parameters).toEqual(featureParams(configured))
    expect(known[0]?.text).toContain('as configured')
  })

  it('are those the rows name where the environment has others, the minutes before expiry included', () => {
    const then = processorSettings.parse({ riskFreeRate: 0.04, curveSource: 'simulator', minutesFloor: 17 })
    const codeVersion = codeVersionOf(version, then)
    const { known, unknown } = resolve(codeVersion, [conventionsOf(codeVersion)])
    expect(unknown).toEqual([])
    expect(known[0]?.parameters).toEqual(featureParams(then))
    expect(known[0]?.text).toContain('not as configured')
  })

  it('cannot be had from the rate of one day where there was a curve, and are where it is configured', () => {
    const curved = processorSettings.parse({ curve: '30:0.04 365:0.03', curveSource: 'simulator' })
    const codeVersion = codeVersionOf(version, curved)
    expect(resolve(codeVersion, [conventionsOf(codeVersion)]).unknown).toMatchObject([{ codeVersion, messages: 7 }])
    expect(resolve(codeVersion, [conventionsOf(codeVersion)], curved).unknown).toEqual([])
  })

  it('of another version are not to be had, and it is said what differs', () => {
    const codeVersion = codeVersionOf('1.2.2', configured)
    const reasons = resolve(codeVersion, [conventionsOf(codeVersion, { riskFreeRate: 0.05 })]).unknown[0]?.reasons ?? []
    expect(reasons.join('\n')).toMatch(/computed by version 1\.2\.2, this is 1\.2\.3/)
    expect(reasons.join('\n')).toMatch(/PROCESSOR_RISK_FREE_RATE.*the rows have 0\.05, configured is 0\.037/)
  })
})
