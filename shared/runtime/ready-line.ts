/**
 * Tells a supervisor, as one JSON line on stdout, that the process is up and where: `{"ready":true,"service":…,…}`.
 * The only thing a service writes to stdout.
 */
export function printReady(facts: Readonly<Record<string, string | number>>): void {
  process.stdout.write(`${JSON.stringify({ ready: true, ...facts })}\n`)
}
