import { describe, expect, it } from 'vitest'
import { checkEnvironment, namesIn } from './environment.ts'
import { type Finding, renderFindings } from './finding.ts'
import { checkFileSystem, checkPort, checkSpace } from './machine.ts'
import { checkHeadroom, storeFindings, streamFindings } from './servers.ts'
import { checkClock, checkFsync, checkNatsVersion, checkNode, compareVersions } from './versions.ts'

const status = ({ status }: Finding): string => status

describe('versions', () => {
  it('compares by number, not by text', () => {
    expect(compareVersions('2.9.10', '2.12.15')).toBeLessThan(0)
    expect(compareVersions('2.12.15', '2.12.15-beta.1')).toBe(0)
    expect(compareVersions('26.7.2.1', '24.10')).toBeGreaterThan(0)
  })

  it('wants Node 24', () => {
    expect(checkNode('24.21.0').status).toBe('ok')
    expect(checkNode('22.3.0').status).toBe('fail')
  })

  it.each([
    ['2.9.9', 'embedded', 'fail'],
    ['2.9.10', 'embedded', 'ok'],
    ['2.9.10', 'production', 'warn'],
    ['2.10.22', 'embedded', 'fail'],
    ['2.10.27', 'embedded', 'ok'],
    ['2.12.14', 'production', 'warn'],
    ['2.12.15', 'production', 'ok'],
  ] as const)('says of nats-server %s for %s: %s', (version, profile, wanted) => {
    expect(checkNatsVersion('nats', version, profile).status).toBe(wanted)
  })

  it('tells development from production in what a power cut may cost', () => {
    const of = (interval: string | null | undefined, profile: 'embedded' | 'production', version = '2.12.15') =>
      checkFsync(interval, { version, profile })
    expect(of('always', 'production').status).toBe('ok')
    expect(of(null, 'embedded')).toMatchObject({ status: 'ok', found: expect.stringContaining('2 minutes') as string })
    expect(of(null, 'production').status).toBe('warn')
    expect(of('10s', 'production').advice).not.toContain('needs')
    expect(of(null, 'production', '2.9.10').advice).toContain('needs nats-server 2.10.0 or later')
    expect(of(undefined, 'production').status).toBe('left out')
    const asked = { version: '2.12.15', profile: 'production', monitorUrl: 'http://nats:9' } as const
    expect(checkFsync(undefined, asked)).toMatchObject({ status: 'warn', found: 'http://nats:9 does not tell' })
  })
})

describe('clocks', () => {
  const at = (serverMs: number, askedAtMs = 1_000_000, tookMs = 10) =>
    checkClock('clock', { serverMs, askedAtMs, answeredAtMs: askedAtMs + tookMs })

  it('takes for the same what the time of asking allows', () => {
    expect(at(1_000_005).status).toBe('ok')
    expect(at(1_000_900, 1_000_000, 1000)).toMatchObject({ status: 'ok', found: 'same as here, within 1000 ms' })
  })

  it('warns of half a second and fails at five', () => {
    expect(at(1_000_510).status).toBe('ok')
    expect(at(1_000_511)).toMatchObject({ status: 'warn', found: '501 ms ahead of this machine' })
    expect(at(994_000)).toMatchObject({ status: 'fail', found: '6000 ms behind this machine' })
  })
})

describe('settings in the environment', () => {
  const known = namesIn(
    '#COLLECTOR_INTERVAL_MS=60000\nAPI_PORT=8061\n# A word. NOT_A_NAME\n#EMBEDDED_CLICKHOUSE_PORT=\n',
  )

  it('reads the names of the example file', () => {
    expect(known).toEqual(['COLLECTOR_INTERVAL_MS', 'API_PORT', 'EMBEDDED_CLICKHOUSE_PORT'])
  })

  it('lets pass what is known and what is none of ours', () => {
    expect(checkEnvironment({ COLLECTOR_INTERVAL_MS: '1', PATH: '/bin', HOME: '/' }, known).map(status)).toEqual(['ok'])
  })

  it('names a misspelt one with the nearest there is', () => {
    const [finding] = checkEnvironment({ COLLECTOR_INTERVALL_MS: '1' }, known)
    expect(finding?.status).toBe('fail')
    expect(finding?.advice).toContain('to COLLECTOR_INTERVAL_MS')
  })

  it('only warns where other programs use the prefix as well', () => {
    expect(checkEnvironment({ API_KEY: 'x' }, known).map(status)).toEqual(['warn'])
  })

  it('does not show values: they may be secrets', () => {
    expect(JSON.stringify(checkEnvironment({ API_KEY: 'hush-hush' }, known))).not.toContain('hush-hush')
  })
})

it('says of a number that is no port that it is none', async () => {
  const found = await checkPort({ name: 'nats', port: 70_000, usedByPid: null })
  expect(found).toMatchObject({ check: 'port 70000', status: 'fail', found: 'no port has this number' })
})

describe('the disk', () => {
  it('warns below 5 GiB and fails below 1', () => {
    expect([6, 4, 0.5].map((gib) => checkSpace(gib * 1024 ** 3).status)).toEqual(['ok', 'warn', 'fail'])
  })

  it('knows a file system that is gone at the next boot', () => {
    expect(checkFileSystem('/x', 0x01021994).status).toBe('warn')
    expect(checkFileSystem('/x', 0xef53).status).toBe('ok')
  })
})

describe('streams and limits', () => {
  const same = { update: {}, drift: [], immovable: [] }

  it('is content with streams as declared', () => {
    const streams = [{ name: 'CHAINS', comparison: same, refusesAtShare: null }]
    expect(streamFindings(streams)).toEqual([{ check: 'streams', status: 'ok', found: 'all 1 as declared' }])
  })

  it('tells what stays wrong from what the next start mends', () => {
    const difference = { field: 'storage', wanted: 'file', found: 'memory' }
    const drift = { field: 'max_bytes', wanted: 1, found: 2 }
    const comparison = { update: { max_age: 3 }, drift: [drift], immovable: [difference] }
    const findings = streamFindings([{ name: 'CHAINS', comparison, refusesAtShare: null }])
    expect(findings.map(status)).toEqual(['fail', 'warn', 'warn'])
    expect(findings[0]?.found).toBe('storage is memory, declared file')
  })

  it('warns of a stream that will soon refuse its publishers', () => {
    const streams = [{ name: 'SCANS', comparison: same, refusesAtShare: 0.95 }]
    expect(streamFindings(streams).map(({ found }) => found)).toEqual(['95 % full, and refuses publishers at 100 %'])
  })

  it('warns of an account without room for the consumers of one more processor', () => {
    const account = {
      streams: 5,
      consumers: 10,
      storageBytes: 0,
      maxStreams: -1,
      maxConsumers: 30,
      maxStorageBytes: -1,
    }
    expect(checkHeadroom(account).status).toBe('warn')
    expect(checkHeadroom({ ...account, maxConsumers: 40 }).status).toBe('ok')
    expect(checkHeadroom({ ...account, maxConsumers: -1, storageBytes: 95, maxStorageBytes: 100 }).status).toBe('warn')
  })

  it('says which right a database user lacks', () => {
    const clock = { serverMs: 0, askedAtMs: 0, answeredAtMs: 0 }
    const refused = { select: null, insert: 'ClickHouse 497: not enough', create: null }
    const findings = storeFindings(
      { version: '26.7', clock, isSchemaCurrent: true, refused },
      { database: 'd', user: 'reader' },
    )
    expect(findings.filter(({ status }) => status === 'fail')).toMatchObject([{ check: 'permissions' }])
  })
})

describe('what a person reads', () => {
  it('has what to do under what was found', () => {
    const text = renderFindings([
      { check: 'disk', status: 'warn', found: '2 GB free', advice: 'free some' },
      { check: 'node', status: 'ok', found: '24' },
    ])
    expect(text).toBe(
      'warn      disk  2 GB free\n                -> free some\nok        node  24\n\n1 ok, 1 warnings, 0 failures, 0 left out',
    )
  })
})
