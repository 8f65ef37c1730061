import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const root = new URL('../../', import.meta.url).pathname

export interface TestService extends AsyncDisposable {
  readonly process: ChildProcess
  /** What it wrote to stdout and stderr so far. */
  output(): string
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Resolves with the exit code when it ends by itself. */
  readonly ended: Promise<number | null>
}

/** Starts one service of ours as a process of its own, with nothing in its environment but what is given. */
export const startService = (name: string, env: Readonly<Record<string, string>>): TestService =>
  start([`${root}services/${name}/main.ts`], env, 'SIGKILL')

/** Starts `strikeflow ARGS` in the same way. It is told to stop when disposed, because it has to stop the service it runs. */
export const startCommand = (args: readonly string[], env: Readonly<Record<string, string>>): TestService =>
  start([`${root}services/cli/main.ts`, ...args], env, 'SIGTERM')

function start(args: readonly string[], env: Readonly<Record<string, string>>, atLast: NodeJS.Signals): TestService {
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  })
  let output = ''
  child.stdout.on('data', (text: Buffer) => void (output += text.toString()))
  child.stderr.on('data', (text: Buffer) => void (output += text.toString()))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return ended
  }
  return {
    process: child,
    output: () => output,
    ended,
    end,
    async [Symbol.asyncDispose]() {
      await end(atLast)
    },
  }
}
