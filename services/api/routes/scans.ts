import { textBody } from '../body.ts'
import { noQuery, readQuery } from '../parameters.ts'
import { type App, get, type RouteDeps, sendFrom } from './route.ts'

const noScans = textBody('{"export_timestamp":null,"scans_count":0,"scans":[]}')

export function mountScans(app: App, deps: RouteDeps): void {
  get(app, '/scans/latest', (context) => {
    readQuery(noQuery, context.req.url)
    return sendFrom(deps, 'scans', context, deps.exports.current.scans?.whole ?? noScans)
  })
}
