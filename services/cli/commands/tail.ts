import type { Command } from 'commander'
import { connectBus } from '../../../shared/bus/connect.ts'
import { openTail } from '../../../shared/bus/tail.ts'
import { createLogger } from '../../../shared/runtime/logger.ts'
import { wholeNumber } from '../arguments.ts'
import { readable } from '../readable-message.ts'
import { natsUrlOf } from '../running-stack.ts'

interface TailOptions {
  readonly nats?: string
  readonly data: string
  readonly all?: true
  readonly count?: string
}

/** `strikeflow tail PATTERN`: messages as a person can read them. */
export function registerTail(program: Command): void {
  program
    .command('tail')
    .description('prints messages as they come, readably')
    .argument('<pattern>', "subjects, such as 'alerts.>' or 'chains.raw.*.cboe.SPY'")
    .option('--nats <url>', 'server (default: the stack running on the data directory)')
    .option('--data <directory>', 'data directory of the running stack', 'data')
    .option('--all', 'from the beginning of the stream instead of from now')
    .option('--count <n>', 'stop after so many messages', wholeNumber(1, 2 ** 53 - 1))
    .addHelpText('after', "\nExample: npx strikeflow tail 'alerts.>' --all")
    .action(async (pattern: string, options: TailOptions) => {
      const stop = new AbortController()
      process.once('SIGINT', () => stop.abort())
      process.once('SIGTERM', () => stop.abort())
      const servers = options.nats ?? (await natsUrlOf(options.data))
      const log = createLogger({ service: 'tail', level: 'warn' })
      await using bus = await connectBus({ servers, name: 'tail', log, signal: stop.signal })
      await using tail = await openTail(bus, pattern, { begin: options.all === true ? 'fromStart' : 'newOnly' })
      stop.signal.addEventListener('abort', () => void tail[Symbol.asyncDispose]())
      console.error(`waiting for ${pattern} (Ctrl-C ends it)`)
      const limit = options.count === undefined ? Infinity : Number(options.count)
      let shown = 0
      for await (const message of tail) {
        console.log(readable(message))
        shown += 1
        if (shown >= limit) break
      }
    })
}
