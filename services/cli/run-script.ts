import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Absolute path of a script of this project, given from its root. */
export const scriptPath = (path: string): string => new URL(`../../${path}`, import.meta.url).pathname

/**
 * Runs a script with the terminal as its own and resolves with its exit code. Signals reach it from the terminal; this
 * process only waits for it to come to rest.
 */
export async function runScript(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const child = spawn(process.execPath, [scriptPath(path), ...args], { stdio: 'inherit', env: withoutUndefined(env) })
  const parent = process.ppid
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  process.on('SIGTERM', forward)
  process.on('SIGHUP', forward)
  const watch = setInterval(() => {
    // Whoever ran us (npx, npm, a shell) is gone without a word: what we started must not outlive it.
    if (process.ppid === 1 && parent !== 1) child.kill('SIGTERM')
  }, 500)
  process.on('SIGINT', ignore)
  const [code] = (await once(child, 'exit')) as [number | null]
  clearInterval(watch)
  process.off('SIGTERM', forward)
  process.off('SIGHUP', forward)
  process.off('SIGINT', ignore)
  return code ?? 1
}

/** The terminal sends its Ctrl-C to the child as well. */
const ignore = (): void => {}

const withoutUndefined = (env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined))
