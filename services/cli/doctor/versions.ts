import { fail, type Finding, ok, warn } from './finding.ts'

const minNode = 24

export function checkNode(version: string): Finding {
  if (Number(version.split('.')[0]) >= minNode) return ok('node', version)
  return fail(
    'node',
    version,
    `the code runs on Node ${minNode}: use "npm start" or "npm run strikeflow", which bring it`,
  )
}

const numbers = (text: string): readonly number[] => (text.match(/\d+/g) ?? []).slice(0, 3).map(Number)

/** Negative when `a` is older than `b`. Letters behind the numbers do not count. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)]
  const place = [0, 1, 2].find((i) => (left[i] ?? 0) !== (right[i] ?? 0))
  return place === undefined ? 0 : (left[place] ?? 0) - (right[place] ?? 0)
}

const oldestNats = '2.9.10'
const productionNats = '2.12.15'
/** Lose whole streams after kill -9 (nats-server issue 6888), mended in 2.10.23. */
const [firstLosingNats, firstMendedNats] = ['2.10.0', '2.10.23']
/** The first that takes `sync_interval` in its configuration; older ones refuse to start with it. */
export const firstNatsWithSyncInterval = '2.10.0'

export function checkNatsVersion(check: string, version: string, profile: 'embedded' | 'production'): Finding {
  const isBefore = (other: string): boolean => compareVersions(version, other) < 0
  if (isBefore(oldestNats)) return fail(check, version, `install nats-server ${oldestNats} or later`)
  if (!isBefore(firstLosingNats) && isBefore(firstMendedNats))
    return fail(check, version, `these versions lose streams after a kill: install ${firstMendedNats} or later`)
  if (profile === 'production' && isBefore(productionNats))
    return warn(check, version, `production wants ${productionNats} or later; this one is fit for development`)
  return ok(check, version)
}

/** `undefined` for a server whose configuration cannot be seen, `null` for one that says nothing. */
export function checkFsync(
  syncInterval: string | null | undefined,
  {
    version,
    profile,
    monitorUrl = null,
  }: {
    readonly version: string | null
    readonly profile: 'embedded' | 'production'
    /** Where it was asked for; null where nobody gave an address. */
    readonly monitorUrl?: string | null
  },
): Finding {
  const check = 'nats fsync'
  if (syncInterval === undefined && monitorUrl !== null) {
    const advice = "give the address of the server's http_port (monitoring), such as http://HOST:8222"
    return warn(check, `${monitorUrl} does not tell`, advice)
  }
  if (syncInterval === undefined) {
    return {
      check,
      status: 'left out',
      found: "the server's configuration cannot be seen from here",
      advice: 'give --monitor http://HOST:8222, or look that its jetstream block has sync_interval: always',
    }
  }
  if (syncInterval === 'always') return ok(check, 'always: what is acknowledged survives a power cut')
  const found = `${syncInterval ?? 'the default of 2 minutes'}: a power cut may lose what was acknowledged in that time`
  if (profile === 'embedded') return ok(check, `${found}; fit for development`)
  const canIt = version !== null && compareVersions(version, firstNatsWithSyncInterval) >= 0
  const upgrade = canIt ? '' : ` (needs nats-server ${firstNatsWithSyncInterval} or later)`
  return warn(check, found, `set sync_interval: always in its jetstream block${upgrade}`)
}

export interface ClockReading {
  readonly serverMs: number
  readonly askedAtMs: number
  readonly answeredAtMs: number
}

const clockWarnMs = 500
const clockFailMs = 5000

/** Compares a server's clock with ours, as far as the time of asking lets us. */
export function checkClock(check: string, { serverMs, askedAtMs, answeredAtMs }: ClockReading): Finding {
  const [early, late] = [serverMs - answeredAtMs, serverMs - askedAtMs]
  // The true difference lies between the two; the one nearest to nothing is what is proven.
  const differenceMs = early > 0 ? early : late < 0 ? late : 0
  const size = Math.abs(differenceMs)
  const found =
    size === 0
      ? `same as here, within ${answeredAtMs - askedAtMs} ms`
      : `${size} ms ${differenceMs > 0 ? 'ahead of' : 'behind'} this machine`
  const advice =
    'let NTP set both clocks (timedatectl set-ntp true); ages, retention and late snapshots are told by them'
  if (size > clockFailMs) return fail(check, found, advice)
  return size > clockWarnMs ? warn(check, found, advice) : ok(check, found)
}
