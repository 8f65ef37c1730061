import type { Command } from 'commander'
import { openTail } from '../../../shared/bus/tail.ts'
import type { Env } from '../../../shared/runtime/config.ts'
import { subjectPattern, wholeNumber } from '../arguments.ts'
import { openBus } from '../open-bus.ts'
import { readable } from '../readable-message.ts'
import { findRunningStack } from '../running-stack.ts'

interface TailOptions {
  readonly nats?: string
  readonly data: string
  readonly all?: true
  readonly count?: string
}

/** `strikeflow tail PATTERN`: messages as a person can read them. */
export function registerTail(program: Command, environment: Env): void {
  program
    .command('tail')
    .description('prints messages as they come, readably')
    .argument('<pattern>', "subjects, such as 'alerts.>' or 'chains.raw.*.cboe.SPY'", subjectPattern)
    .option('--nats <url>', 'server (default: the stack running on the data directory, else NATS_URL)')
    .option('--data <directory>', 'data directory of the running stack', 'data')
    .option('--all', 'from the beginning of the stream instead of from now')
    .option('--count <n>', 'stop after so many messages', wholeNumber(1, 2 ** 53 - 1))
    .addHelpText('after', "\nExample: npx strikeflow tail 'alerts.>' --all")
    .action(async (pattern: string, options: TailOptions) => {
      const stop = new AbortController()
      process.once('SIGINT', () => stop.abort())
      process.once('SIGTERM', () => stop.abort())
      const place = { nats: options.nats, stack: await findRunningStack(options.data) }
      await using bus = await openBus(place, environment, { name: 'tail', role: 'reader', signal: stop.signal })
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
