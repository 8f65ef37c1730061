import { workerChain } from './chain.ts'

/*
 * Computes chains on one core for so many milliseconds and prints how many contracts a second: a processor without anything around
 * it. Its argument is the duration.
 */
const durationMs = Number(process.argv[2])
const chain = workerChain()
// Compiled by then.
for (let i = 0; i < 50; i++) chain.compute()
process.stdout.write('ready\n')
process.stdin.once('data', () => {
  const startMs = performance.now()
  let contracts = 0
  while (performance.now() - startMs < durationMs) contracts += chain.compute()
  process.stdout.write(`${Math.round((1000 * contracts) / (performance.now() - startMs))}\n`)
  process.exit()
})
