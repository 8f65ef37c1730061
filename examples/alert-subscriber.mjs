/*
 * Receives strikeflow's alerts in a program of your own: a durable consumer on the stream ALERTS, plain NATS, nothing of
 * strikeflow's code. Any NATS client in any language can do the same.
 *
 *   npm start                                        in one terminal: the pipeline, with NATS on port 4222
 *   node examples/alert-subscriber.mjs               in another
 *   node examples/alert-subscriber.mjs --subject 'alerts.critical.>' --name my-desk
 *   node examples/alert-subscriber.mjs --server nats://host:4222 --user me --password-file FILE --replay --count 10
 *
 * It logs in as the user services of the stack on ./data. The user reader is not enough for it: the place that a durable
 * consumer remembers is state of the server. Who only wants to see what comes can subscribe to alerts.> as reader.
 *
 * Stop it and start it again: it goes on after the last alert it acknowledged, and misses none that came meanwhile (ALERTS
 * keeps 30 days). Start it twice under one --name and the two share the alerts; under two names each gets all of them.
 *
 * In a project of your own: npm install @nats-io/transport-node @nats-io/jetstream, and import `connect` from
 * '@nats-io/transport-node' (in this repository that package has the name 'nats').
 */
import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, nanos } from 'nats'

const { values: options } = parseArgs({
  options: {
    server: { type: 'string', default: 'nats://127.0.0.1:4222' },
    user: { type: 'string', default: 'services' },
    // Where there is no such file, it logs in without a name.
    'password-file': { type: 'string', default: 'data/secrets/services' },
    // alerts.<info|warning|critical>.<detector>.<underlying>; `*` is one token, `>` the rest. What NATS forbids in a token is
    // written as %XX: BRK.B is BRK%2EB.
    subject: { type: 'string', default: 'alerts.>' },
    // The server remembers under this name what was acknowledged.
    name: { type: 'string', default: 'alert-subscriber' },
    // At the first start only: begin with the oldest alert kept, not with the next one.
    replay: { type: 'boolean', default: false },
    // End after so many alerts.
    count: { type: 'string', default: 'Infinity' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (options.help) {
  console.log(
    'node examples/alert-subscriber.mjs [--server URL] [--user NAME] [--password-file FILE] [--subject PATTERN] [--name NAME] [--replay] [--count N]',
  )
  process.exit(0)
}

const passwordFile = options['password-file']
const account = existsSync(passwordFile) ? { user: options.user, pass: readFileSync(passwordFile, 'utf8').trim() } : {}

const connection = await connect({
  servers: options.server,
  ...account,
  name: options.name,
  // The client's own default gives up after ten attempts.
  maxReconnectAttempts: -1,
  waitOnFirstConnect: true,
})

// Creating a durable consumer that exists already with the same settings changes nothing.
const manager = await jetstreamManager(connection)
await manager.consumers.add('ALERTS', {
  durable_name: options.name,
  filter_subject: options.subject,
  deliver_policy: options.replay ? DeliverPolicy.All : DeliverPolicy.New,
  ack_policy: AckPolicy.Explicit,
  // Not acknowledged within this time (your program died, or is stuck): the alert is delivered again.
  ack_wait: nanos(30_000),
  max_ack_pending: 500,
})

const consumer = await jetstream(connection).consumers.get('ALERTS', options.name)
const messages = await consumer.consume({ max_messages: 100 })

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => messages.stop())

// Delivery is at least once: the same alert may come twice, always under the same id. Where that matters, keep the ids you
// have acted on; a set in memory is enough for this printout.
const seen = new Set()
let left = Number(options.count)

for await (const message of messages) {
  // A CloudEvents 1.0 document; its fields are described in shared/model/alert.ts.
  const alert = message.json()
  if (!seen.has(alert.id)) {
    seen.add(alert.id)
    const { severity, detector, underlying, score, message: text } = alert.data
    console.log(`${alert.time}  ${severity.padEnd(8)} ${underlying.padEnd(6)} ${detector}  score ${score}  ${text}`)
  }
  // Only after the work is done: an acknowledged alert does not come again.
  message.ack()
  left -= 1
  if (left <= 0) break
}

// Sends the last acknowledgements before it closes.
await connection.drain()
