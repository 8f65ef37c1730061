import { setTimeout as delay } from 'node:timers/promises'
import type { Scene } from './scene.ts'

/** An API that needs longer counts as one that does not answer, on a busy machine as well. */
const answerLimitMs = 30_000

/** Looks again and again at what must only go forward, and whether the API answers, until aborted. */
export interface Watched {
  readonly apiRequests: number
  readonly apiFailures: number
}

const intervalMs = 250

/** The API serves the exported files whatever happens to the others; what is asked while it is down itself does not count. */
export async function watchApi(scene: Scene, stop: AbortSignal): Promise<Watched> {
  const { stack } = scene
  let apiRequests = 0
  let apiFailures = 0
  const [api] = stack.of('api')
  if (api === undefined) return { apiRequests, apiFailures }
  while (!stop.aborted) {
    await delay(intervalMs / 5, undefined, { signal: stop }).catch(() => {})
    const url = stack.apiUrl()
    if (url === '' || !api.isUp) continue
    const { starts } = api
    const problem = await fetch(`${url}/alerts/latest`, { signal: AbortSignal.timeout(answerLimitMs) })
      .then(async (answer) => {
        await answer.arrayBuffer()
        return answer.ok ? '' : `status ${answer.status}`
      })
      .catch((error: unknown) => String((error as Error).cause ?? error))
    // A kill is felt by the socket before it is told here.
    if (problem !== '') await delay(100)
    if (problem !== '' && (!api.isUp || !api.isWanted || api.starts !== starts)) continue
    apiRequests += 1
    if (problem === '') continue
    apiFailures += 1
    scene.note(`API: ${problem}`)
  }
  return { apiRequests, apiFailures }
}
