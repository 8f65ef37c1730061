import { Hono } from 'hono'
import type { Logger } from '../../shared/runtime/logger.ts'
import type { Access } from './access.ts'
import type { ApiMetrics } from './metrics.ts'
import { problemResponse, RequestProblem } from './problem.ts'
import { mountAlerts } from './routes/alerts.ts'
import { mountFeatures } from './routes/features.ts'
import { type HealthDeps, mountHealth } from './routes/health.ts'
import { mountIndex } from './routes/index-page.ts'
import { mountOptions } from './routes/options.ts'
import type { App, AppContext, AppEnv } from './routes/route.ts'
import { mountScans } from './routes/scans.ts'

export interface AppDeps extends HealthDeps {
  readonly access: Access
  readonly log: Logger
  readonly metrics: ApiMetrics
}

const longestUrl = 4096

/**
 * Serves the exported documents over HTTP, read only. Every answer was prepared when its file was loaded; nothing here
 * waits for another process.
 */
export function createApp(deps: AppDeps): App {
  const { access, log, metrics } = deps
  const app = new Hono<AppEnv>()

  app.use(async (context, next) => {
    const startedMs = performance.now()
    const problem = (await access(context)) ?? refusal(context)
    if (problem === null) await next()
    else context.res = problem
    const route = context.get('route') ?? 'unmatched'
    metrics.requests.inc({ route, status: String(context.res.status) })
    metrics.requestSeconds.observe({ route }, (performance.now() - startedMs) / 1000)
  })

  mountIndex(app)
  mountAlerts(app, deps)
  mountOptions(app, deps)
  mountScans(app, deps)
  mountFeatures(app, deps)
  mountHealth(app, deps)

  app.notFound(() => problemResponse(404, 'No such address; GET / lists them all'))
  // The framework's own handler would print the stack, and what is in it, to the log and answer plain text.
  app.onError((err, context) => {
    if (err instanceof RequestProblem) return problemResponse(err.status, err.message)
    log.error({ route: context.get('route'), err }, 'request failed')
    return problemResponse(500, 'The request failed; the log has the reason')
  })
  return app
}

/** What no route would answer differently, before any of them sees it. */
function refusal({ req }: AppContext): Response | null {
  if (req.url.length > longestUrl)
    return problemResponse(400, `Expected an address of at most ${longestUrl} characters`)
  if (req.method !== 'GET' && req.method !== 'HEAD')
    return problemResponse(405, 'Expected GET or HEAD: everything here is read only')
  return null
}
