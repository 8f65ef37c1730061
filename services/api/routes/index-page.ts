import { textBody } from '../body.ts'
import { sendBody } from '../body.ts'
import { type App, get } from './route.ts'

/** What can be asked, for somebody who has only the address. */
const endpoints = [
  { path: '/alerts/latest', answers: 'the newest alerts, as exported', example: '/alerts/latest' },
  {
    path: '/alerts?min_score=&limit=',
    answers: 'the newest alerts of at least a score (0 to 100), at most so many (1 to 1000, 100 by default)',
    example: '/alerts?min_score=80&limit=10',
  },
  { path: '/alerts/ticker/{ticker}', answers: 'the alerts of one underlying', example: '/alerts/ticker/SPY' },
  {
    path: '/options/{ticker}/snapshot',
    answers: 'the latest chain of one underlying',
    example: '/options/SPY/snapshot',
  },
  { path: '/scans/latest', answers: 'the newest passes over the universe', example: '/scans/latest' },
  {
    path: '/features/{ticker}/latest',
    answers: 'the latest features of one underlying',
    example: '/features/SPY/latest',
  },
  {
    path: '/health/live',
    answers: 'whether the process runs; also /health/ready and /health/startup',
    example: '/health/ready',
  },
  { path: '/metrics', answers: 'figures for Prometheus', example: '/metrics' },
]

const page = textBody(
  JSON.stringify(
    {
      name: 'strikeflow',
      about:
        'Option chains, features and alerts from the exported documents. Answers carry an ETag and X-Data-Age in seconds.',
      endpoints,
    },
    null,
    2,
  ),
)

export function mountIndex(app: App): void {
  get(app, '/', (context) => sendBody(context.req.header('if-none-match'), page, { ageSeconds: null, isStale: false }))
}
