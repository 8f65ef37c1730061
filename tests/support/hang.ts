/*
 * Loaded into services by NODE_OPTIONS. At SIGUSR2 the event loop of the process stands for ever, and that of a processor also when it opens a
 * snapshot of the underlying HANG, as at a length in a message that nobody has checked.
 */
function hang(): never {
  for (;;);
}

const [, script = ''] = process.argv
if (script.includes('/services/') && !script.includes('/standalone/main.ts')) {
  process.on('SIGUSR2', hang)
  if (script.includes('/services/processor/')) hangOn('HANG')
}

function hangOn(underlying: string): void {
  const parse = JSON.parse
  JSON.parse = (text: string, ...rest: unknown[]): unknown => {
    if (text.includes(`"underlying":"${underlying}"`) && text.includes('"contentHash"')) hang()
    return (parse as (...parameters: unknown[]) => unknown)(text, ...rest)
  }
}
