import { loadavg } from 'node:os'
import { measureFeatures } from './features.ts'
import { measurePeers } from './peers.ts'
import { realisticInput, uniformInput } from './quotes.ts'
import { definition, type KernelReport, machineOf } from './report.ts'
import { countCollections, maxAbsSigmaError, rateOf, ways } from './solve.ts'

const repeats = 15
const realisticRepeats = 7
const gcOptions = 10_000_000

/** Measures the solver and, on the same quotes in the same run, the npm libraries. */
export async function measureKernel(quotes: number, onProgress: (text: string) => void): Promise<KernelReport> {
  const at = new Date().toISOString()
  const loadAverage = loadavg()[0] ?? NaN
  const input = uniformInput(quotes)
  const mix = realisticInput(quotes)
  onProgress(`${input.count} quotes made`)
  const iv = rateOf(input, ways.iv, repeats)
  const ivGreeks = rateOf(input, ways.ivGreeks, repeats)
  const oneByOne = rateOf(input, ways.oneByOne, realisticRepeats)
  onProgress('solved')
  const mixIv = rateOf(mix, ways.iv, realisticRepeats)
  const mixIvGreeks = rateOf(mix, ways.ivGreeks, realisticRepeats)
  const gcEntries = await countCollections(input, gcOptions)
  onProgress('garbage collections counted')
  const peers = Object.entries(measurePeers(input)).map(([name, peer]) => [
    name,
    { ...peer, timesSlower: Number((iv.median / peer.ivPerSecond).toPrecision(3)) },
  ])
  onProgress('peers measured')
  const features = measureFeatures()
  return {
    bench: 'kernel',
    at,
    definition,
    input: input.description,
    quotes: input.count,
    repeats,
    ivPerSecond: iv.median,
    ivPerSecondBest: iv.best,
    ivGreeksPerSecond: ivGreeks.median,
    ivGreeksPerSecondBest: ivGreeks.best,
    oneByOneIvPerSecond: oneByOne.median,
    oneByOneIvPerSecondBest: oneByOne.best,
    maxAbsSigmaError: maxAbsSigmaError(input),
    gcEntries,
    gcOptions,
    realistic: {
      input: mix.description,
      ivPerSecond: mixIv.median,
      ivGreeksPerSecond: mixIvGreeks.median,
      maxAbsSigmaError: maxAbsSigmaError(mix),
    },
    peers: Object.fromEntries(peers) as KernelReport['peers'],
    features,
    machine: machineOf(loadAverage),
  }
}
