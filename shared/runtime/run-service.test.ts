import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'

const module = new URL('run-service.ts', import.meta.url).href
const logger = new URL('logger.ts', import.meta.url).href

/** Runs a service that fails by itself once it is told to stop, in `compose` or in `run`; its exit code. */
async function stoppedIn(stage: 'compose' | 'run'): Promise<number | null> {
  const failing = `new Promise((_, reject) => {
    setInterval(() => {}, 1000)
    stop.addEventListener('abort', () => reject(new Error('timeout')))
    console.log('here')
  })`
  const compose = stage === 'compose' ? failing : `({ name: 'x', run: (stop) => ${failing} })`
  const code = `
    import { runService } from '${module}'
    import { createLogger } from '${logger}'
    const log = createLogger({ service: 'x', level: 'silent' })
    process.exit(await runService(log, async ({ signal: stop }) => ${compose}))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  const [exitCode] = (await once(child, 'exit')) as [number | null]
  return exitCode
}

it('ends with 0 when what it opens fails after it was told to stop', async () => {
  expect(await stoppedIn('compose')).toBe(0)
})

it('ends with 1 when its work fails on the way out', async () => {
  expect(await stoppedIn('run')).toBe(1)
})
