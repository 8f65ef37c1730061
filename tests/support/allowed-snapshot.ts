import { contractFlags, rejectReasons, type Snapshot } from '../../shared/model/snapshot.ts'

/*
 * What the model allows, said a second time and independently of the decoder: what a hostile message decodes to is held against it.
 */

const dayMs = 86_400_000
const endMs = Date.UTC(2100, 0, 1)
const ticker = /^[A-Za-z0-9.^&_-]{1,32}$/
const flagBits = Object.values(contractFlags).reduce((sum, bit) => sum + bit, 0)

/** Returns everything about a decoded snapshot that the model does not allow; empty when all of it is. */
export function offences({ meta, columns }: Snapshot): readonly string[] {
  const found: string[] = []
  const must = (isAllowed: boolean, what: string): void => {
    if (!isAllowed && found.length < 20) found.push(what)
  }
  for (const time of [meta.providerTimeMs, meta.marketTimeMs, meta.receivedAtMs, meta.slot?.atMs ?? 0])
    must(Number.isInteger(time) && time >= 0 && time <= endMs, `time ${time}`)
  must(ticker.test(meta.underlying), `underlying ${meta.underlying.slice(0, 50)}`)
  must(meta.provider.length <= 32 && meta.scanId.length <= 128 && meta.contentHash.length <= 128, 'texts')
  must(/^(19[7-9]\d|20\d\d)-\d\d-\d\d$/.test(meta.sessionDate), `session ${meta.sessionDate}`)
  must(meta.spot === null || Number.isFinite(meta.spot), `spot ${meta.spot}`)
  must(meta.multiplier > 0 && meta.multiplier <= 1e9, `multiplier ${meta.multiplier}`)
  must(meta.rejects.length <= 200, 'rejects')
  for (const { symbol, reason, detail } of meta.rejects)
    must(rejectReasons.includes(reason) && symbol.length <= 64 && detail.length <= 200, `reject ${reason}`)
  must(columns.roots.every((root) => ticker.test(root)) && columns.roots.length <= 1_000, 'roots')
  const contracts = new Set<string>()
  for (const [name, column] of Object.entries(columns))
    if (ArrayBuffer.isView(column)) must((column as Float64Array).length === columns.length, `length of ${name}`)
  for (let i = 0; i < columns.length; i += 1) {
    const root = columns.roots[columns.rootIndex[i] ?? -1]
    const [day, second, strike, right] = [columns.expiryDay, columns.expiryAtS, columns.strike, columns.right].map(
      (column) => column[i] ?? Number.NaN,
    ) as [number, number, number, number]
    must(root !== undefined, `root of row ${i}`)
    must(day >= 0 && day * dayMs <= endMs, `day ${day}`)
    must(second >= 0 && second * 1000 <= endMs, `second ${second}`)
    must(strike > 0 && strike <= 1e9, `strike ${strike}`)
    must(right === 1 || right === 2, `right ${right}`)
    must(((columns.flags[i] ?? 0) & ~flagBits) === 0, `flags ${columns.flags[i]}`)
    for (const name of ['bid', 'ask', 'last', 'bidSize', 'askSize', 'volume', 'openInterest'] as const) {
      const value = columns[name][i] ?? Number.NaN
      must(Number.isNaN(value) || (value >= 0 && value < Infinity), `${name} ${value}`)
    }
    for (const name of ['providerIv', 'providerDelta', 'providerGamma', 'providerTheta', 'providerVega'] as const)
      must(Math.abs(columns[name][i] ?? 0) !== Infinity, `${name} ${columns[name][i]}`)
    contracts.add(`${root} ${day} ${Math.round(strike * 1e4)} ${right}`)
  }
  must(contracts.size === columns.length, 'a contract is there twice')
  return found
}
