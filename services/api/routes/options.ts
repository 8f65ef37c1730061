import { textBody } from '../body.ts'
import { noQuery, readQuery, readTicker } from '../parameters.ts'
import { RequestProblem } from '../problem.ts'
import { type App, get, type RouteDeps, sendFrom } from './route.ts'

export function mountOptions(app: App, deps: RouteDeps): void {
  get(app, '/options/:ticker/snapshot', (context) => {
    readQuery(noQuery, context.req.url)
    const ticker = readTicker(context.req.param('ticker'))
    const document = deps.exports.current.chains
    const body = document === null ? emptyChain(ticker) : document.byTicker.get(ticker)
    if (body === undefined) throw new RequestProblem(404, `No chain of ${ticker} in the latest export`)
    return sendFrom(deps, 'chains', context, body)
  })
}

/** Before anything is exported nothing is known of any ticker, so none is refused. */
const emptyChain = (ticker: string) =>
  textBody(JSON.stringify({ ticker, timestamp: null, underlying_price: null, calls: [], puts: [] }))
