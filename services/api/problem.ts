import { protection } from './protection.ts'

/** What a client did wrong or asked for in vain; the only errors whose words reach it. */
export class RequestProblem extends Error {
  readonly status: 400 | 404

  constructor(status: 400 | 404, detail: string) {
    super(detail)
    this.name = 'RequestProblem'
    this.status = status
  }
}

const titles = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  429: 'Too many requests',
  500: 'Internal error',
} as const

/** An answer of RFC 9457. */
export function problemResponse(
  status: keyof typeof titles,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = JSON.stringify({ type: 'about:blank', title: titles[status], status, detail })
  return new Response(body, {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...protection,
      ...(status === 405 ? { Allow: 'GET, HEAD' } : {}),
      ...headers,
    },
  })
}
