import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Sends one request with any headers, also those that `fetch` would not let a program set. */
export async function send(
  url: string,
  {
    method = 'GET',
    headers = {},
  }: { readonly method?: string | undefined; readonly headers?: Readonly<Record<string, string>> | undefined } = {},
): Promise<Answer> {
  const sent = request(url, { method, headers, agent: false })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
}
