import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectBus } from '../../shared/bus/connect.ts'
import { browserNames, type BrowserName, findBrowser, openInBrowser } from '../support/browsers.ts'
import {
  type HostileSite,
  openHostileSite,
  openRebinding,
  type PageReport,
  type Target,
} from '../support/hostile-site.ts'
import { listeningPortsOf } from '../support/listening-ports.ts'
import { silentLog } from '../support/nats.ts'
import { startTestStack, type TestStack } from '../support/stack.ts'

/** Ways of cross-site.html that every server on the machine receives, if nothing in the browser stops them. */
const ways = ['image', 'script', 'style', 'frame', 'fetch-no-cors', 'fetch-cors', 'post-no-cors', 'form', 'websocket']
const paths = ['/health/ready', '/status', '/metrics', '/alerts/latest', '/options/SPY/snapshot', '/ping']
const reportMs = 200_000

let stack: TestStack
let folder = ''
/** Connections to it would come from SQL: no page is told its number. */
let collector: Server
let collected = 0
/** Stands beside the stack, answers everybody and writes down what it was asked: the pages do try. */
let witness: HttpServer
let seen = new Set<string>()
let targets: readonly Target[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'strikeflow-canary-'))
  collector = createServer((socket) => {
    collected += 1
    socket.destroy()
  }).listen(0, '127.0.0.1')
  witness = createHttpServer((request, response) => {
    seen.add(new URL(request.url ?? '/', 'http://localhost').searchParams.get('way') ?? '')
    response.end()
  })
  witness.on('upgrade', (request, socket) => {
    seen.add('websocket')
    socket.destroy()
  })
  witness.listen(0)
  await Promise.all([once(collector, 'listening'), once(witness, 'listening')])
  stack = await startTestStack({ env: { STANDALONE_PROVIDER: 'simulator' } })
  const ports = [...new Set(listeningPortsOf(stack.process.pid ?? 0).map(({ port }) => port))]
  targets = [...ports, portOf(witness)].map((port) => ({ port, sql: statement() }))
})
afterAll(async () => {
  await stack[Symbol.asyncDispose]()
  collector.close()
  witness.closeAllConnections()
  witness.close()
  rmSync(folder, { recursive: true, force: true })
})

const portOf = (server: Server | HttpServer): number => (server.address() as AddressInfo).port
const statement = (): string =>
  `INSERT INTO FUNCTION file('${folder}/METHOD', 'RawBLOB', 'a String') SELECT 'x' FROM url('http://127.0.0.1:${portOf(collector)}/METHOD', 'LineAsString', 'a String')`

/** Opens a page in a browser and returns its report. */
async function visit(browser: BrowserName, path: string, site: HostileSite, url: string, proxy: HostileSite) {
  await using window = openInBrowser(browser, path, url, proxy.port)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${browser} reported nothing from ${url}:\n${window.output()}`)),
      reportMs,
    )
  })
  return await Promise.race([site.report, late]).finally(() => clearTimeout(timer))
}

async function expectNothingHappened(): Promise<void> {
  expect(readdirSync(folder)).toEqual([])
  expect(collected).toBe(0)
  const tables = await stack.store.query.rows<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'default'",
  )
  expect(tables).toEqual([])
}

/** The stack's own ports; the witness answers everybody. */
const ofTheStack = ({ url }: PageReport): boolean => !url.includes(`:${portOf(witness)}/`)

describe.each(browserNames)('a hostile page in %s', (browser) => {
  const path = findBrowser(browser)

  it('finds the ports of every part of the stack', (context) => {
    context.skip(path === null, `${browser} is not on the PATH`)
    const known = [stack.natsUrl, stack.clickhouseUrl, stack.apiUrl].map((url) => Number(new URL(url).port))
    expect(targets.map(({ port }) => port)).toEqual(expect.arrayContaining(known))
    // Processor, archiver, exporter and collector serve their health as well.
    expect(targets.length).toBeGreaterThanOrEqual(known.length + 4 + 1)
  })

  it.each([
    ['of another site', '127.0.0.2'],
    ['of another local port', '127.0.0.1'],
  ])('%s reads, writes and executes nothing on any port', async (_, host, ...rest) => {
    const context = rest.at(-1) as unknown as { skip(condition: boolean, note: string): void } | undefined
    context?.skip(path === null, `${browser} is not on the PATH`)
    if (path === null) return
    seen = new Set()
    await using bus = await connectBus({ ...stack.bus, name: 'test', log: silentLog })
    const published: string[] = []
    bus.connection.subscribe('INSERT.>', { callback: (error, message) => void published.push(message.subject) })
    await using site = await openHostileSite(host, targets)
    await using proxy = await openRebinding('', [])
    const reports = await visit(browser, path, site, site.url, proxy)
    // A browser may stop some of them by itself; each way that reached the witness reached the stack too.
    expect([...seen].toSorted()).toEqual(expect.arrayContaining(['fetch-no-cors', 'form', 'frame', 'image', 'script']))
    expect(ways).toEqual(expect.arrayContaining([...seen]))
    for (const report of reports.filter(ofTheStack)) {
      expect(report, `${report.way} of ${report.url}`).toMatchObject({ opened: false, text: '' })
      expect([null, 0]).toContain(report.status)
    }
    await expectNothingHappened()
    expect(published).toEqual([])
  })

  it('whose host name was rebound to the stack is refused on every port', async (context) => {
    context.skip(path === null, `${browser} is not on the PATH`)
    if (path === null) return
    for (const { port } of targets.filter((target) => target.port !== portOf(witness))) {
      await using site = await openRebinding(statement(), paths)
      const reports = await visit(browser, path, site, `http://evil.test:${port}/attack`, site)
      expect(reports).toHaveLength(2 + paths.length)
      for (const { url, status, text } of reports) {
        expect([403, 502], `${url} on ${port}`).toContain(status)
        expect(text).not.toMatch(/strikeflow|SPY|Ok\./)
      }
    }
    await expectNothingHappened()
  })
})
