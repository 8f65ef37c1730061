import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FetchOutcome } from '../provider.ts'
import { createRecording } from './recording.ts'

const fixtures = new URL('../../../../tests/fixtures/', import.meta.url)
const envelopeText = readFileSync(new URL('cboe/ACME.json', fixtures), 'utf8')
const linesText = readFileSync(new URL('options_desk/2026-11-16_small.ndjson', fixtures), 'utf8')

interface Envelope {
  readonly timestamp: string
  readonly data: { readonly options: unknown[]; readonly current_price: number }
}

/** What the recorder of Cboe's intraday files writes around the list. */
function wrapper(symbol: string, timestamp: string): string {
  const { data } = JSON.parse(envelopeText) as Envelope
  const raw_options = JSON.parse(JSON.stringify(data.options).replaceAll('ACME', symbol)) as unknown[]
  return JSON.stringify({ symbol, timestamp, current_price: data.current_price, pcr_oi: 1, source: 'x', raw_options })
}

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strikeflow-recording-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function put(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), content)
}

const nowMs = Date.UTC(2026, 10, 20)

interface Played {
  readonly provider: string
  readonly startedAt: string
  /** The recorded clock after the last item. */
  readonly endedAt: string
  readonly items: readonly (readonly [underlying: string, outcome: FetchOutcome])[]
  readonly sources: readonly (string | undefined)[]
}

let skipped: string[] = []

async function play(path = folder, speed = 0, clock = () => nowMs): Promise<readonly Played[]> {
  const { signal } = new AbortController()
  const onSkipped = (name: string, why: string) => void skipped.push(`${name}: ${why}`)
  const recording = createRecording({ path, speed, clock, onDrift: () => {}, onSkipped })
  const played: Played[] = []
  for await (const { provider, startedAtMs, items } of recording.passes(signal)) {
    const outcomes: (readonly [string, FetchOutcome])[] = []
    for (const item of items) outcomes.push([item.underlying, await item.fetch({ scanId: 's', signal })])
    played.push({
      provider,
      startedAt: new Date(startedAtMs).toISOString(),
      endedAt: new Date(recording.now()).toISOString(),
      items: outcomes,
      sources: items.map(({ source }) => source),
    })
  }
  return played
}

/** One word per item: `ACME`, or `ACME:truncated`. */
const words = (played: readonly Played[]): readonly string[][] =>
  played.map(({ items }) =>
    items.map(([name, outcome]) => (outcome.kind === 'refused' ? `${name}:${outcome.reason}` : name)),
  )

describe('the recording provider', () => {
  it('makes a pass of the files of one stamp, in the order of the stamps', async () => {
    await put('BBB/20261116T160000Z.json.gz', gzipSync(wrapper('BBB', '2026-11-16 15:59:00')))
    await put('AAA/20261116T160000Z.json.gz', gzipSync(wrapper('AAA', '2026-11-16 15:59:01')))
    await put('AAA/20261116T150000Z.json', wrapper('AAA', '2026-11-16 14:59:01'))
    const played = await play()
    expect(words(played)).toEqual([['AAA'], ['AAA', 'BBB']])
    expect(played.map(({ provider, startedAt }) => [provider, startedAt])).toEqual([
      ['cboe', '2026-11-16T15:00:00.000Z'],
      ['cboe', '2026-11-16T16:00:00.000Z'],
    ])
  })

  it('puts a wrapper back into the envelope: the same chain, the same content', async () => {
    await put('20261116T163000Z.json', wrapper('ACME', '2026-11-16 16:34:17'))
    await put('ACME.json', envelopeText)
    const hashes = (await play()).flatMap(({ items }) =>
      items.map(([, outcome]) => (outcome.kind === 'refused' ? outcome : outcome.snapshot.meta.snapshotId)),
    )
    expect(new Set(hashes).size).toBe(1)
  })

  it('never receives a file before the file time in it', async () => {
    await put('AAA/20261116T150000Z.json', wrapper('AAA', '2026-11-16 16:30:00'))
    const [, outcome] = (await play())[0]?.items[0] ?? []
    expect(outcome).toMatchObject({ snapshot: { meta: { receivedAtMs: Date.UTC(2026, 10, 16, 16, 30) } } })
  })

  it('makes a pass of an NDJSON file, its documents in the order they were fetched', async () => {
    await put('2026-11-16.ndjson.gz', gzipSync(linesText))
    const played = await play()
    expect(words(played)).toEqual([['BRX.B', 'ACME', 'NOSP']])
    expect(played[0]).toMatchObject({ provider: 'options_desk', startedAt: '2026-11-16T16:16:47.116Z' })
  })

  it('does not let a document left over from weeks ago decide when the pass began', async () => {
    const leftover = linesText.split('\n')[0]?.replace('2026-11-16T', '2026-10-12T').replace('ACME', 'OLDN') ?? ''
    await put('x.ndjson', `${leftover}\n${linesText}`)
    const played = await play()
    expect(words(played)).toEqual([['OLDN', 'BRX.B', 'ACME', 'NOSP']])
    expect(played[0]?.startedAt).toBe('2026-11-16T16:16:47.116Z')
  })

  it('refuses each bad file with its reason and goes on', async () => {
    const good = gzipSync(wrapper('AAA', '2026-11-16 15:59:00'))
    await put('AAA/20261116T160000Z.json.gz', good)
    await put('BBB/20261116T160000Z.json.gz', good.subarray(0, good.length - 40))
    await put('CCC/20261116T160000Z.json.gz', gzipSync('<html><body>Access denied</body></html>'))
    await put('DDD/20261116T160000Z.json.gz', gzipSync(wrapper('DDD', 'x').replace('50.12', 'NaN')))
    await put('EEE/20261116T160000Z.json.gz', gzipSync('{"some":"other file"}'))
    await put(
      'FFF/20261116T160000Z.json.gz',
      gzipSync('{"timestamp":"2026-11-16 15:59:00","symbol":"FFF","raw_options":[]}'),
    )
    await put('GGG/20261116T160000Z.json.gz', Buffer.concat([good.subarray(0, 20), Buffer.alloc(500, 7)]))
    await put('HHH/20261116T160000Z.json.gz', '')
    await put('III/20261116T160000Z.json.gz', gzipSync(wrapper('III', '').slice(0, 300)))
    const [names] = words(await play())
    expect(names).toEqual([
      'AAA',
      'BBB:truncated',
      'CCC:not_json',
      'DDD:malformed',
      'EEE:schema',
      'FFF:empty_chain',
      'GGG:malformed',
      'HHH:not_json',
      'III:truncated',
    ])
  })

  it('refuses files that are no recording before the rest, and does not look at hidden ones', async () => {
    await put('AAA/20261116T160000Z.json', wrapper('AAA', '2026-11-16 15:59:00'))
    await put('README.md', 'about this')
    await put('.DS_Store', 'x')
    await put('notes.json', '{"hello":1}')
    expect(words(await play())).toEqual([['README.md:not_json', 'notes.json:schema'], ['AAA']])
  })

  it('reads the documents before the cut of a truncated NDJSON file, and refuses the one it goes through', async () => {
    // Stored, not compressed: then the cut is where it seems.
    const packed = gzipSync(linesText, { level: 0 })
    const inLastLine = packed.length - 200
    await put('x.ndjson.gz', packed.subarray(0, inLastLine))
    expect(words(await play())).toEqual([['BRX.B', 'ACME', 'NOSP:truncated']])
  })

  it('refuses a broken document of an NDJSON file and reads the others', async () => {
    const [first = '', second = '', third = ''] = linesText.split('\n')
    const nan = second.replace('401.5', 'NaN')
    await put('x.ndjson', [first, '<html>', nan, third, ''].join('\n'))
    expect(words(await play())).toEqual([['BRX.B:malformed', 'ACME', 'x.ndjson:2:not_json', 'NOSP']])
  })

  it('gives the same snapshots every time', async () => {
    await put('x.ndjson', linesText)
    await put('AAA/20261116T160000Z.json', wrapper('AAA', '2026-11-16 15:59:00'))
    expect(await play()).toEqual(await play())
  })

  it('plays a single file', async () => {
    await put('x.ndjson', linesText)
    expect(words(await play(join(folder, 'x.ndjson')))).toHaveLength(1)
  })

  it('refuses what is dated after now or before 2005, and lets it move neither the clock nor its file', async () => {
    const [first = '', ...rest] = linesText.trim().split('\n')
    const future = first.replace('2026-11-16T', '2027-11-16T').replace('ACME', 'FUTR')
    const never = first.replace('2026-11-16T', '1970-01-01T').replace('ACME', 'NEVR')
    await put('x.ndjson', [future, never, first, ...rest].join('\n'))
    await put('y.ndjson', future)
    await put('AAA/20261116T150000Z.json', wrapper('AAA', '2026-11-20 00:10:01'))
    await put('BBB/20991116T150000Z.json', wrapper('BBB', '2026-11-16 14:59:00'))
    await put('CCC.json', wrapper('CCC', '2001-01-01 00:00:00'))
    const played = await play()
    expect(words(played)).toEqual([
      ['BBB', 'CCC:no_time', 'FUTR:future_time'],
      ['AAA:future_time'],
      ['FUTR:future_time', 'NEVR:no_time', 'BRX.B', 'ACME', 'NOSP'],
    ])
    for (const { startedAt, endedAt } of played) {
      expect([startedAt.slice(0, 10), endedAt.slice(0, 10)]).toEqual(['2026-11-16', '2026-11-16'])
    }
  })

  it("refuses a chain of another name than its folder's, wherever the recording is opened", async () => {
    await put('SHY/20261116T160000Z.json', wrapper('QQQ', '2026-11-16 15:59:00'))
    await put(
      '_SPX/20261116T160000Z.json',
      wrapper('^SPX', '2026-11-16 15:59:00').replaceAll('"option":"^', '"option":"'),
    )
    await put('intraday/20261116T160000Z.json', wrapper('QQQ', '2026-11-16 15:59:00'))
    expect(words(await play())).toEqual([['SHY:schema', 'SPX', 'intraday']])
    const [alone] = await play(join(folder, 'SHY/20261116T160000Z.json'))
    const detail = 'chain of QQQ where SHY was asked for'
    expect(alone?.items).toEqual([['SHY', { kind: 'refused', reason: 'schema', detail }]])
  })

  it('names the file of each item, relative to what was asked for', async () => {
    await put('a/AAA/20261116T160000Z.json', wrapper('AAA', '2026-11-16 15:59:00'))
    await put('a/README.md', 'about this')
    await put('x.ndjson', linesText)
    const sources = async (path: string) => (await play(path)).flatMap((pass) => pass.sources)
    expect(await sources(folder)).toEqual([
      'a/README.md',
      'a/AAA/20261116T160000Z.json',
      'x.ndjson: line 2',
      'x.ndjson: line 1',
      'x.ndjson: line 3',
    ])
    expect(await sources(join(folder, 'a/README.md'))).toEqual(['README.md'])
  })

  it('follows links to files, and tells of the others and of pipes that it skips them', async () => {
    await put('real.ndjson', linesText)
    await symlink(join(folder, 'real.ndjson'), join(folder, 'also.ndjson'))
    await symlink(join(folder, 'nowhere'), join(folder, 'dangling.json'))
    await symlink(folder, join(folder, 'loop'))
    execFileSync('mkfifo', [join(folder, 'pipe.json')])
    skipped = []
    expect(words(await play())).toHaveLength(2)
    expect(skipped.sort()).toEqual([
      'dangling.json: link to nothing',
      'loop: link to a directory',
      'pipe.json: not a file',
    ])
  })

  it('finds before the first pass that a path is nothing to read', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    const check = (name: string) =>
      createRecording({ path: join(folder, name), speed: 0, clock: () => nowMs, onDrift: () => {} }).check?.()
    await expect(check('nowhere')).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/^No recording at/),
    })
    await expect(check('pipe')).rejects.toMatchObject({ code: 'config' })
    await check('.')
  })

  it('says when there is nothing at the path', async () => {
    await expect(play(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'config' })
  })

  it('keeps the recorded gaps, divided by the speed', async () => {
    await put('AAA/20261116T160000Z.json', wrapper('AAA', '2026-11-16 15:59:00'))
    await put('AAA/20261116T170000Z.json', wrapper('AAA', '2026-11-16 16:59:00'))
    const startedMs = performance.now()
    await play(folder, 3600 / 0.2, Date.now)
    const tookMs = performance.now() - startedMs
    expect(tookMs).toBeGreaterThanOrEqual(190)
  })

  it('ends quietly while it waits when the signal aborts', async () => {
    await put('AAA/20261016T160000Z.json', wrapper('AAA', '2026-10-16 15:59:00'))
    await put('AAA/20261116T170000Z.json', wrapper('AAA', '2026-11-16 16:59:00'))
    const stopping = new AbortController()
    const recording = createRecording({ path: folder, speed: 1, clock: Date.now, onDrift: () => {} })
    let passes = 0
    for await (const _ of recording.passes(stopping.signal)) {
      passes += 1
      setImmediate(() => stopping.abort())
    }
    expect(passes).toBe(1)
  })
})
