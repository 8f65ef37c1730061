import { execFileSync } from 'node:child_process'
import { mkdir, open, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exportBytes, startTestApp, type TestApp } from './test-app.ts'

const row = (ticker: string) => ({ ticker, spot: 1 })

let t: TestApp
beforeEach(async () => {
  t = await startTestApp()
  await t.put('features', [row('SPY')])
})
afterEach(() => t[Symbol.asyncDispose]())

const path = (): string => join(t.directory, 'features.json')

/** Puts something else in the place of the document, then looks. */
async function replace(make: () => Promise<unknown>): Promise<void> {
  await rm(path(), { recursive: true, force: true })
  await make()
  await t.exports.poll()
}

const lastGoodOne = { isStale: true, status: 200, header: 'true' }
async function found(): Promise<typeof lastGoodOne> {
  const answer = await t.app.request('/features/SPY/latest')
  const header = answer.headers.get('X-Data-Stale') ?? ''
  return { isStale: t.exports.isStale('features'), status: answer.status, header }
}

describe('an exported document that is no document', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a directory', () => mkdir(path())],
    ['a FIFO that nobody writes to', async () => execFileSync('mkfifo', [path()])],
    ['a link that leads to itself', () => symlink(path(), path())],
    ['a link to a document elsewhere', () => symlink(join(t.directory, 'elsewhere.json'), path())],
    ['a link to a device without an end', () => symlink('/dev/zero', path())],
    [
      'a file that is too large to be read',
      async () => {
        await using file = await open(path(), 'w')
        await file.truncate(3 * 2 ** 30)
      },
    ],
    [
      'a truncated document',
      async () => {
        const bytes = await exportBytes('features', [row('SPY'), row('QQQ')])
        await writeFile(path(), bytes.subarray(0, bytes.length - 20))
      },
    ],
    ['an empty file', () => writeFile(path(), '')],
    ['nothing', () => Promise.resolve()],
  ])('leaves the last good one where there is %s', async (_, make) => {
    await writeFile(join(t.directory, 'elsewhere.json'), await exportBytes('features', [row('QQQ')]))
    await replace(make)
    expect(await found()).toEqual(lastGoodOne)
    // And it heals by itself.
    await rm(path(), { recursive: true, force: true })
    await t.put('features', [row('SPY'), row('QQQ')])
    expect(t.exports.isStale('features')).toBe(false)
    expect((await t.app.request('/features/QQQ/latest')).status).toBe(200)
  })

  it('leaves the last good one where the file may not be read', async ({ skip }) => {
    if (process.getuid?.() === 0) skip('root may read every file')
    await replace(async () => writeFile(path(), await exportBytes('features', [row('QQQ')]), { mode: 0o000 }))
    expect(await found()).toEqual(lastGoodOne)
  })

  it('is read again after the system has refused it, though the file is the same', async () => {
    const elsewhere = join(t.directory, 'elsewhere.json')
    await writeFile(elsewhere, await exportBytes('features', [row('QQQ')]))
    await replace(() => symlink(elsewhere, path()))
    const before = await loads('failed')
    await t.exports.poll()
    expect(await loads('failed')).toBe(before + 1)
  })

  const loads = async (outcome: string): Promise<number> => {
    const metrics = await (await t.app.request('/metrics')).text()
    const [, count = '0'] =
      new RegExp(`export_loads_total{document="features",outcome="${outcome}".*} (\\d+)`).exec(metrics) ?? []
    return Number(count)
  }
})

describe('a row that cannot be read', () => {
  it.each([
    ['an over-long ticker', row('X'.repeat(250))],
    ['a ticker with a control character', row('A\u001b[2J')],
    ['a ticker with an escaped quote', row('A"B')],
    ['another first field', { spot: 1, ticker: 'TLT' }],
    ['no ticker', { spot: 1 }],
  ])('is left out and costs the others nothing: %s', async (_, odd) => {
    await t.put('features', [row('QQQ'), odd, row('SPY')])
    expect(t.exports.isStale('features')).toBe(false)
    for (const ticker of ['QQQ', 'SPY']) expect((await t.app.request(`/features/${ticker}/latest`)).status).toBe(200)
    const metrics = await (await t.app.request('/metrics')).text()
    expect(metrics).toMatch(/rows_left_out_total{document="features".*} 1/)
  })

  it('is left out of the alerts as well', async () => {
    const alert = (ticker: unknown, score: unknown) => ({ id: '1', ticker, score })
    await t.put('alerts', [alert('SPY', 80), alert('X'.repeat(250), 90), alert(7, 90), alert('QQQ', 'high')])
    const latest = (await (await t.app.request('/alerts')).json()) as { alerts_count: number }
    expect(latest.alerts_count).toBe(1)
    expect((await t.app.request('/alerts/ticker/SPY')).status).toBe(200)
  })
})
