/*
 * Loaded into a processor by NODE_OPTIONS: a snapshot of the underlying POISON kills the process while it is being opened, as a fault
 * in a native library or a loop that never ends would.
 */
const parse = JSON.parse
JSON.parse = (text: string, ...rest: unknown[]): unknown => {
  if (text.includes('"underlying":"POISON"') && text.includes('"contentHash"')) process.kill(process.pid, 'SIGKILL')
  return (parse as (...parameters: unknown[]) => unknown)(text, ...rest)
}
