import { exportNames } from '../../../shared/model/export-layout.ts'
import type { Registry } from '../../../shared/runtime/metrics.ts'
import { protection } from '../protection.ts'
import { type App, get, type RouteDeps } from './route.ts'

export interface HealthDeps extends RouteDeps {
  readonly registry: Registry
  /** Aborted when the process is on its way out: no new work then. */
  readonly signal: AbortSignal
}

/** Neither ClickHouse nor the exporter is asked: the API answers without them, and then it is ready. */
export function mountHealth(app: App, { exports, clock, registry, signal }: HealthDeps): void {
  const reasons = (): readonly string[] => [
    ...(exports.isOpen ? [] : ['exports not looked at yet']),
    ...(signal.aborted ? ['stopping'] : []),
  ]
  const readiness = (): Response => {
    const found = reasons()
    return found.length === 0
      ? json(200, { status: exportNames.some((name) => exports.isStale(name)) ? 'degraded' : 'ok' })
      : json(503, { status: 'not ready', reasons: found })
  }
  get(app, '/health/live', () => json(200, { status: 'ok' }))
  get(app, '/health/startup', readiness)
  get(app, '/health/ready', readiness)
  get(app, '/status', () => {
    const { alerts, chains } = exports.current
    const ageSeconds = alerts === null ? null : Math.max(0, Math.round((clock() - alerts.timestampMs) / 1000))
    return json(200, { alerts: alerts?.count ?? null, chains: chains?.count ?? null, ageSeconds })
  })
  get(app, '/metrics', async () => {
    const headers = { 'Content-Type': registry.contentType, ...protection }
    return new Response(await registry.metrics(), { headers })
  })
}

const json = (status: number, body: unknown): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...protection },
  })
