import { registerHooks } from 'node:module'
import { bugs } from './bugs.ts'

/*
 * Loaded into a process by NODE_OPTIONS: the file of the bug that TORTURE_BUG names is changed while it is read, and nowhere else.
 */
const bug = bugs.find(({ name }) => name === process.env['TORTURE_BUG'])
const sourceText = (source: unknown): string =>
  typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (bug === undefined || !url.endsWith(`/${bug.file}`)) return loaded
    let source = sourceText(loaded.source)
    for (const [from, to] of bug.changes) {
      if (!source.includes(from)) throw new Error(`${bug.file} has no ${from}: the bug cannot be planted any more`)
      source = source.replace(from, () => to)
    }
    return { ...loaded, source }
  },
})
