import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { Env } from '../../shared/runtime/config.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { guard, scriptPath } from './run-script.ts'

const readySchema = z.object({ ready: z.literal(true), natsUrl: z.string(), clickhouseUrl: z.string() })

export interface OwnStack extends AsyncDisposable {
  readonly natsUrl: string
  readonly clickhouseUrl: string
  readonly dataDirectory: string
}

/** Starts NATS, ClickHouse and a processor on a data directory, on free ports, until disposed. */
export async function startOwnStack(dataDirectory: string, environment: Env): Promise<OwnStack> {
  const child = spawn(process.execPath, [scriptPath('services/standalone/main.ts')], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    // Ctrl-C is for the command; it stops the stack itself, after its sources.
    detached: true,
    env: {
      ...environment,
      STANDALONE_PROVIDER: 'none',
      STANDALONE_STAGES: 'store',
      STANDALONE_DATA_DIRECTORY: dataDirectory,
      STANDALONE_NATS_PORT: '0',
      STANDALONE_CLICKHOUSE_PORT: '0',
    },
  })
  child.once('exit', guard.watch(child.pid))
  const exited = once(child, 'exit')
  const { natsUrl, clickhouseUrl } = await Promise.race([
    readyLine(child.stdout as NodeJS.ReadableStream),
    exited.then(() => {
      throw new StrikeflowError('internal', `The stack did not start; see ${dataDirectory}/logs`)
    }),
  ])
  return {
    natsUrl,
    clickhouseUrl,
    dataDirectory,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

async function readyLine(out: NodeJS.ReadableStream): Promise<z.output<typeof readySchema>> {
  const ready = Promise.withResolvers<z.output<typeof readySchema>>()
  createInterface({ input: out }).on('line', (line) => {
    if (line.startsWith('{"ready":true')) ready.resolve(readySchema.parse(JSON.parse(line)))
  })
  return ready.promise
}
