import { textBody } from '../body.ts'
import { noQuery, readQuery, readTicker } from '../parameters.ts'
import { RequestProblem } from '../problem.ts'
import { type App, get, type RouteDeps, sendFrom } from './route.ts'

export function mountFeatures(app: App, deps: RouteDeps): void {
  get(app, '/features/:ticker/latest', (context) => {
    readQuery(noQuery, context.req.url)
    const ticker = readTicker(context.req.param('ticker'))
    const document = deps.exports.current.features
    const body = document === null ? noFeatures(ticker) : document.byTicker.get(ticker)
    if (body === undefined) throw new RequestProblem(404, `No features of ${ticker} in the latest export`)
    return sendFrom(deps, 'features', context, body)
  })
}

/** Before anything is exported nothing is known of any ticker, so none is refused. */
const noFeatures = (ticker: string) =>
  textBody(JSON.stringify({ ticker, features: {}, created_at: null, scan_id: null }))
