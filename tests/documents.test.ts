import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('../', import.meta.url)
const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' }).trim().split('\n')

/** Blocks of lines that begin with a bar, outside of code. */
function tablesOf(text: string): readonly (readonly string[])[] {
  const tables: string[][] = []
  let isCode = false
  let before = ''
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) isCode = !isCode
    const isRow = !isCode && line.startsWith('|')
    if (isRow && !before.startsWith('|')) tables.push([])
    if (isRow) tables.at(-1)?.push(line)
    before = isCode ? '' : line
  }
  return tables
}

describe('the documents', () => {
  it('are found', () => {
    expect(documents).toContain('README.md')
  })

  it.each(documents)('%s has a header above the rows of each table', (path) => {
    const text = readFileSync(new URL(path, root), 'utf8')
    // Rows behind an empty line are shown as text with bars.
    for (const [first, rule = ''] of tablesOf(text))
      expect(rule, `the table that begins ${first}`).toMatch(/^\|[\s:|-]+\|$/)
  })
})
