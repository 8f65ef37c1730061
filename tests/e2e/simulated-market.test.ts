import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectBus } from '../../shared/bus/connect.ts'
import { decodeJson } from '../../shared/bus/messages.ts'
import { openTail } from '../../shared/bus/tail.ts'
import type { Alert } from '../../shared/model/alert.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { startTestStack, strikeflow, type TestStack } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

interface InjectedEvent {
  readonly kind: string
  readonly underlying: string
  readonly atMs: number
  readonly untilMs: number
}

interface AlertRow {
  readonly id: string
  readonly detector: string
  readonly underlying: string
  readonly at: number
}

const passes = 110
const underlyings = 25

describe('a simulated market, from the simulator to the API', () => {
  let stack: TestStack
  let truth: readonly InjectedEvent[]
  let alerts: readonly AlertRow[]

  beforeAll(async () => {
    stack = await startTestStack({
      env: { STANDALONE_SPEED: '0', STANDALONE_SEED: '7', COLLECTOR_SIM_PASSES: String(passes) },
    })
    await waitFor('every snapshot committed', async () => (await committed(stack)) === passes * underlyings, {
      intervalMs: 250,
    })
    truth = readFileSync(join(stack.dataDirectory, 'ground-truth.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as InjectedEvent)
    alerts = await stack.store.query.rows<AlertRow>(
      `SELECT toString(alert_id) AS id, detector, underlying, toUnixTimestamp64Milli(market_time) AS at FROM alerts_v1 FINAL`,
    )
  })
  afterAll(() => stack[Symbol.asyncDispose]())

  it('has events of both kinds to find', () => {
    expect(truth.filter(({ kind }) => kind === 'volume_spike').length).toBeGreaterThanOrEqual(5)
    expect(truth.filter(({ kind }) => kind === 'iv_spike').length).toBeGreaterThanOrEqual(5)
  })

  it('raises an alert for every injected event', () => {
    const missed = truth.filter((event) => !alerts.some((alert) => explains(event, alert)))
    expect(missed).toEqual([])
    expect(alerts).toHaveLength(truth.length)
  })

  it('raises no alert without an event', () => {
    const unexplained = alerts.filter((alert) => !truth.some((event) => explains(event, alert)))
    expect(unexplained).toEqual([])
  })

  it('publishes each alert on its subject under the id of its row, once', async () => {
    await using bus = await connectBus({
      ...stack.bus,
      name: 'test',
      log: createLogger({ service: 'test', level: 'silent' }),
    })
    await using tail = await openTail(bus, 'alerts.>', { begin: 'fromStart' })
    const ids: string[] = []
    for await (const { payload, messageId } of tail) {
      const { id } = decodeJson(payload) as Alert
      expect(messageId).toBe(id)
      if (ids.push(id) === alerts.length) break
    }
    expect(ids.toSorted()).toEqual(alerts.map(({ id }) => id).toSorted())
  })

  it('serves the alerts, the chain and the features of an underlying over HTTP', async () => {
    const body = await waitFor('the alerts in the export', async () => {
      const answer = (await get(stack, '/alerts/latest')) as { alerts_count: number; alerts: { ticker: string }[] }
      return answer.alerts_count === Math.min(alerts.length, answer.alerts.length) && answer.alerts_count > 0
        ? answer
        : null
    })
    expect(body.alerts[0]).toMatchObject({
      ticker: expect.any(String),
      score: expect.any(Number),
      detector_name: expect.any(String),
    })
    const chain = await waitFor('the chain in the export', async () => {
      const answer = (await get(stack, '/options/SPY/snapshot')) as { calls?: unknown[]; puts?: unknown[] }
      return (answer.calls?.length ?? 0) > 100 ? answer : null
    })
    expect(chain.puts?.length).toBeGreaterThan(100)
    expect(await get(stack, '/features/SPY/latest')).toMatchObject({ ticker: 'SPY' })
  })

  it('refuses hostile tickers with 400', async () => {
    for (const ticker of ['..%2f..%2fetc%2fpasswd', '%00', 'A'.repeat(5000)]) {
      const answer = await fetch(`${stack.apiUrl}/options/${ticker}/snapshot`)
      expect(answer.status).toBe(400)
    }
  })

  it('records each pass as a scan', async () => {
    // Scans have a way of their own and may come after the last snapshot is committed.
    const scans = await waitFor('every scan', async () => {
      const [row] = await stack.store.query.rows<{ n: number; delivered: number }>(
        `SELECT count() AS n, sum(delivered) AS delivered FROM scans_v1 FINAL WHERE status = 'completed'`,
      )
      return row?.n === passes ? row : null
    })
    expect(scans).toEqual({ n: passes, delivered: passes * underlyings })
  })

  it('shows alerts to a person who tails them', async () => {
    const shown = await strikeflow(['tail', 'alerts.>', '--all', '--count', '3', '--data', stack.dataDirectory])
    expect(shown).toMatchObject({ code: 0 })
    expect(shown.stdout.trim().split('\n')).toHaveLength(3)
    expect(shown.stdout).toMatch(/alerts\.(info|warning|critical)\.\w+\./)
  })
})

/** True when the alert is what the event should raise: the same kind, and while it lasts. */
const explains = ({ kind, underlying, atMs, untilMs }: InjectedEvent, alert: AlertRow): boolean =>
  alert.detector === kind && alert.underlying === underlying && alert.at >= atMs && alert.at <= untilMs

async function committed(stack: TestStack): Promise<number> {
  const [row] = await stack.store.query.rows<{ n: number }>(
    `SELECT uniqExact(stream_seq) AS n FROM snapshots_v1 WHERE outcome = 'stored'`,
  )
  return row?.n ?? 0
}

async function get(stack: TestStack, path: string): Promise<unknown> {
  const answer = await fetch(`${stack.apiUrl}${path}`)
  return answer.json()
}
