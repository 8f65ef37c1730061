import type { IncomingMessage } from 'node:http'
import type { Context, Hono } from 'hono'
import type { ExportName } from '../../../shared/model/export-layout.ts'
import type { Clock } from '../../../shared/runtime/clock.ts'
import { type Body, sendBody } from '../body.ts'
import type { ExportFolder } from '../export-folder.ts'

/** `route` is the pattern of the route that answered, a metric label; `incoming` the request as Node has it. */
export interface AppEnv {
  Bindings: { incoming: IncomingMessage }
  Variables: { route: string }
}
export type App = Hono<AppEnv>
export type AppContext = Context<AppEnv>

export interface RouteDeps {
  readonly exports: ExportFolder
  readonly clock: Clock
}

/** Registers a GET route under its pattern. */
export function get(app: App, route: string, handle: (context: AppContext) => Response | Promise<Response>): void {
  app.get(route, (context) => {
    context.set('route', route)
    return handle(context)
  })
}

/** Sends what came from a document, with that document's age. */
export function sendFrom({ exports, clock }: RouteDeps, name: ExportName, context: AppContext, body: Body): Response {
  const timestampMs = exports.current[name]?.timestampMs
  return sendBody(context.req.header('if-none-match'), body, {
    // Clocks of writer and reader may differ by a little.
    ageSeconds: timestampMs === undefined ? null : Math.max(0, Math.round((clock() - timestampMs) / 1000)),
    isStale: exports.isStale(name),
  })
}
