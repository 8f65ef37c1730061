import type { NotReproducible } from '../../../shared/model/replay.ts'
import type { Conventions } from '../../../shared/store/queries/replay.ts'
import { codeVersionOf, featureParams, type ProcessorSettings } from '../config.ts'
import type { FeatureParams } from '../features/compute-chain.ts'

export interface KnownParameters {
  readonly codeVersion: string
  readonly parameters: FeatureParams
  /** For a person. */
  readonly text: string
}

const longestFloor = 60

/**
 * The parameters rows of a code version were computed with. The version carries a hash of them, so it can be told whether a guess is
 * right: the settings of the environment, else the flat rate that the rows name. Where none is right the rows cannot be made again.
 */
export function parametersOf(
  codeVersion: string,
  stored: readonly Conventions[],
  settings: ProcessorSettings,
  version: string,
): KnownParameters | readonly string[] {
  const guesses = [settings, ...stored.flatMap((conventions) => guessesOf(conventions, settings))]
  const right = guesses.find((guess) => codeVersionOf(version, guess) === codeVersion)
  if (right === undefined) return reasonsOf(codeVersion, stored, settings, version)
  return { codeVersion, parameters: featureParams(right), text: textOf(codeVersion, right, right === settings) }
}

function guessesOf(stored: Conventions, settings: ProcessorSettings): readonly ProcessorSettings[] {
  const { riskFreeRate, curveSource, curveDate } = stored
  const ivMethod = stored.ivMethod as ProcessorSettings['ivMethod']
  const flat = { ...settings, curve: [], riskFreeRate, curveSource, curveDate, ivMethod }
  const curved = { ...settings, curveSource, curveDate, ivMethod }
  const floors = [settings.minutesFloor, ...Array.from({ length: longestFloor + 1 }, (_, minutes) => minutes)]
  return floors.flatMap((minutesFloor) => [
    { ...flat, minutesFloor },
    { ...curved, minutesFloor },
  ])
}

function textOf(codeVersion: string, settings: ProcessorSettings, isConfigured: boolean): string {
  const { curve, riskFreeRate, curveSource, curveDate, ivMethod, minutesFloor } = settings
  const rates = curve.length === 0 ? `rate ${riskFreeRate}` : `a curve of ${curve.length} points`
  const from = isConfigured ? 'as configured' : 'as the rows say, not as configured'
  return `${codeVersion}: ${rates} (${curveSource}, ${curveDate}), ${ivMethod}, no IV within ${minutesFloor} min of expiry; ${from}`
}

function reasonsOf(
  codeVersion: string,
  stored: readonly Conventions[],
  settings: ProcessorSettings,
  version: string,
): readonly string[] {
  const [storedVersion = ''] = codeVersion.split('+')
  const reasons: string[] = []
  if (storedVersion !== version) reasons.push(`computed by version ${storedVersion}, this is ${version}`)
  const { curve } = featureParams(settings)
  for (const { riskFreeRate, curveSource, curveDate, ivMethod } of stored) {
    const own = [
      ['PROCESSOR_RISK_FREE_RATE or PROCESSOR_CURVE', riskFreeRate, settings.riskFreeRate],
      ['PROCESSOR_CURVE_SOURCE', curveSource, curve.source],
      ['PROCESSOR_CURVE_DATE', curveDate, curve.date],
      ['PROCESSOR_IV_METHOD', ivMethod, settings.ivMethod],
    ] as const
    for (const [name, was, is] of own)
      if (was !== is) reasons.push(`${name}: the rows have ${was}, configured is ${is}`)
  }
  const { node, tz } = process.versions
  reasons.push(
    `the hash behind the + is ${codeVersion.split('+')[1] ?? 'missing'}, and none of what the rows name gives it on this runtime ` +
      `(Node ${node}, tz ${tz}): another runtime, other points of the curve, or another version`,
  )
  return reasons
}

/** Sorts the code versions of a range into those this code can make again and those it cannot. */
export function resolveParameters(
  messages: ReadonlyMap<string, number>,
  stored: readonly Conventions[],
  settings: ProcessorSettings,
  version: string,
): { readonly known: readonly KnownParameters[]; readonly unknown: readonly NotReproducible[] } {
  const known: KnownParameters[] = []
  const unknown: NotReproducible[] = []
  for (const [codeVersion, count] of messages) {
    const own = stored.filter((conventions) => conventions.codeVersion === codeVersion)
    const found = parametersOf(codeVersion, own, settings, version)
    if ('parameters' in found) known.push(found)
    else unknown.push({ codeVersion, messages: count, reasons: found })
  }
  return { known, unknown }
}
