import { once } from 'node:events'
import { createServer, type IncomingMessage, request as forward, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRowCounter } from './native-rows.ts'

/** Stands where ClickHouse does and stores nothing: what is left is the processors' own work. */
export interface CountingSink extends AsyncDisposable {
  readonly url: string
  /** Rows that came, by table. */
  readonly rows: ReadonlyMap<string, number>
}

/**
 * Counts the rows of every INSERT and says that they are stored. All else goes on to a real server: epochs, with which a partition is
 * taken, and every query. Those find no rows and no commit rows, which is what a processor sees that has just begun.
 */
export async function startCountingSink(upstream: string): Promise<CountingSink> {
  const rows = new Map<string, number>()
  const server = createServer((request, response) => {
    const table = insertedTable(request.url ?? '/')
    const answered = table === null ? passOn(upstream, request, response) : count(table)
    answered.catch((error: unknown) => response.destroy(error as Error))

    async function count(into: string): Promise<void> {
      const counter = createRowCounter()
      request.on('data', (chunk: Buffer) => counter.push(chunk))
      await once(request, 'end')
      rows.set(into, (rows.get(into) ?? 0) + counter.rows)
      response.end()
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    rows,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Of an INSERT whose rows are the body; null for anything else. */
function insertedTable(url: string): string | null {
  const query = new URL(url, 'http://localhost').searchParams.get('query')
  return /^\s*INSERT INTO (\w+) .* FORMAT Native$/s.exec(query ?? '')?.[1] ?? null
}

async function passOn(upstream: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const onward = forward(new URL(request.url ?? '/', upstream), { method: request.method, headers: request.headers })
  request.pipe(onward)
  const [answer] = (await once(onward, 'response')) as [IncomingMessage]
  response.writeHead(answer.statusCode ?? 502, answer.headers)
  answer.pipe(response)
}
