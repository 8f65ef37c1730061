import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Guard } from '../../shared/runtime/guard.ts'

/** Absolute path of a script of this project, given from its root. */
export const scriptPath = (path: string): string => new URL(`../../${path}`, import.meta.url).pathname

/** So long a script has to stop by itself once this process is gone; a stack of its own then takes up to 3 s more. */
const graceSeconds = 4
/** Sees to it that nothing which a command starts outlives the command, even when that is killed. */
export const guard = new Guard(graceSeconds)

/**
 * Runs a script with the terminal as its own and resolves with its exit code. Signals reach it from the terminal; this
 * process only waits for it to come to rest.
 */
export async function runScript(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const child = spawn(process.execPath, [scriptPath(path), ...args], {
    // The end of the channel tells the script that this process is gone.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: withoutUndefined(env),
  })
  child.once('exit', guard.watch(child.pid))
  const parent = process.ppid
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  process.on('SIGTERM', forward)
  process.on('SIGHUP', forward)
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    // Whoever ran us (npx, npm, a shell) is gone without a word: the script stops, and where it hangs the guard ends it.
    child.kill('SIGTERM')
    process.exit(1)
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
