import { type Body, textBody } from '../body.ts'
import { type AlertsDocument, alertsBody, alertsOfTicker } from '../exported-document.ts'
import { alertsQuery, noQuery, readQuery, readTicker } from '../parameters.ts'
import { type App, get, type RouteDeps, sendFrom } from './route.ts'

const noAlerts = textBody('{"export_timestamp":null,"alerts_count":0,"alerts":[]}')

export function mountAlerts(app: App, deps: RouteDeps): void {
  get(app, '/alerts/latest', (context) => {
    readQuery(noQuery, context.req.url)
    return sendFrom(deps, 'alerts', context, deps.exports.current.alerts?.whole ?? noAlerts)
  })

  get(app, '/alerts', (context) => {
    const { min_score: minScore, limit } = readQuery(alertsQuery, context.req.url)
    const document = deps.exports.current.alerts
    return sendFrom(deps, 'alerts', context, document === null ? noAlerts : selected(document, minScore, limit))
  })

  get(app, '/alerts/ticker/:ticker', (context) => {
    readQuery(noQuery, context.req.url)
    const ticker = readTicker(context.req.param('ticker'))
    const document = deps.exports.current.alerts
    const body = document?.byTicker.get(ticker) ?? alertsOfTicker(document?.timestamp ?? null, ticker, [])
    return sendFrom(deps, 'alerts', context, body)
  })
}

/** The newest so many alerts of at least a score. */
function selected({ timestamp, alerts }: AlertsDocument, minScore: number, limit: number): Body {
  const found = alerts
    .values()
    .filter(({ score }) => score >= minScore)
    .take(limit)
  return alertsBody(timestamp, [...found])
}
