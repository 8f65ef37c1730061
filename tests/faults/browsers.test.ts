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

/** The ways of cross-site.html. */
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
    seen.add(new URL(request.url ?? '/', 'http://localhost').searchParams.get('query_id') ?? '')
    response.end()
  })
  witness.on('upgrade', (_request, socket) => {
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
  `INSERT INTO FUNCTION file('${folder}/METHOD', 'RawBLOB', 'a String') SELECT 'x' FROM url('http://127.0.0.1:${portOf(collector)}/METHOD', 'LineAsString', 'a String') SETTINGS http_max_tries = 1`

/** Opens a page in a browser and returns its report. */
async function visit(browser: BrowserName, path: string, site: HostileSite, proxy: HostileSite) {
  await using window = openInBrowser(browser, path, site.url, proxy.port)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${browser} reported nothing from ${site.url}:\n${window.output()}`)),
      reportMs,
    )
  })
  return await Promise.race([site.report, late]).finally(() => clearTimeout(timer))
}

async function expectNothingHappened(): Promise<void> {
  const written = readdirSync(folder)
  const asked = collected
  // So that one page that gets through fails one test.
  for (const name of written) rmSync(join(folder, name))
  collected = 0
  expect(written).toEqual([])
  expect(asked).toBe(0)
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

  it.for([
    ['of another site', '127.0.0.2'],
    ['of another local port', '127.0.0.1'],
  ] as const)('%s reads, writes and executes nothing on any port', async ([, host], context) => {
    context.skip(path === null, `${browser} is not on the PATH`)
    if (path === null) return
    seen = new Set()
    await using bus = await connectBus({ ...stack.bus, name: 'test', log: silentLog })
    const published: string[] = []
    bus.connection.subscribe('INSERT.>', { callback: (_error, message) => void published.push(message.subject) })
    await using site = await openHostileSite(host, targets)
    await using proxy = await openRebinding([], '', [])
    const reports = await visit(browser, path, site, proxy)
    // The browser itself stops none of them: each way that reached the witness reached the stack too.
    expect([...seen]).toEqual(expect.arrayContaining(ways))
    for (const report of reports.filter(ofTheStack)) {
      expect(report).toMatchObject({ opened: false, text: '', status: expect.toSatisfy((status) => !status) })
    }
    await expectNothingHappened()
    expect(published).toEqual([])
  })

  it('whose host name was rebound to the stack is refused on every port', async (context) => {
    context.skip(path === null, `${browser} is not on the PATH`)
    if (path === null) return
    const ports = targets.map(({ port }) => port).filter((port) => port !== portOf(witness))
    await using site = await openRebinding(ports, statement(), paths)
    const reports = await visit(browser, path, site, site)
    expect(reports).toHaveLength(ports.length * (2 + paths.length))
    // 502: the port does not speak HTTP, as NATS.
    expect(reports.filter(({ status }) => status !== 403 && status !== 502)).toEqual([])
    expect(reports.filter(({ text }) => /strikeflow|SPY|Ok\./.test(text))).toEqual([])
    await expectNothingHappened()
  })
})
