import { connect } from 'node:net'

/** A server that turns greets every client at once; one that hangs leaves it to the kernel to accept the connection. */
const limitMs = 5_000

/** True when the nats-server on a port greets a client, which needs no credential. */
export function greets(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  const end = (answer: boolean): void => {
    socket.destroy()
    resolve(answer)
  }
  socket.setTimeout(limitMs, () => end(false))
  socket.once('data', (bytes) => end(bytes.toString('latin1').startsWith('INFO ')))
  socket.once('error', () => end(false))
  socket.once('close', () => resolve(false))
  return promise
}
