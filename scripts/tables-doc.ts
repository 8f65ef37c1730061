/** A schema file, as it lies in shared/store/schema. */
export interface SchemaFile {
  readonly name: string
  readonly sql: string
}

export interface ExampleQuery {
  readonly title: string
  readonly sql: string
}

/** Splits an example file into its first comment line and the statement. */
export function parseExample(text: string): ExampleQuery {
  const [first = '', ...rest] = text.trim().split('\n')
  return { title: first.replace(/^--\s*/, ''), sql: rest.join('\n') }
}

/** Renders docs/tables.md from the schema's own comments. */
export function renderTablesDoc(files: readonly SchemaFile[], examples: readonly ExampleQuery[]): string {
  return [
    '# Tables',
    '',
    'Made from `shared/store/schema` by `npm run docs`; change the SQL, not this page.',
    '',
    'A snapshot counts once its row in `snapshots_v1` says `stored`. After a crash a row may be there twice, under two epochs:',
    'read with `FINAL`, which keeps the higher one. Missing is null, never 0.',
    '',
    ...files.filter(({ sql }) => sql.includes('CREATE TABLE')).flatMap((file) => tableSection(file, files)),
    '## Example queries',
    '',
    ...examples.flatMap(({ title, sql }) => [`### ${title}`, '', '```sql', sql, '```', '']),
  ].join('\n')
}

function tableSection({ sql }: SchemaFile, files: readonly SchemaFile[]): readonly string[] {
  const lines = sql.split('\n')
  const header = lines.filter((line) => line.startsWith('--')).map((line) => line.replace(/^--\s?/, ''))
  const name = /\{table:(\w+)\}/.exec(sql)?.[1] ?? ''
  const body = sql.slice(sql.indexOf('(', sql.indexOf('CREATE TABLE')) + 1, sql.indexOf(') ENGINE'))
  const order = /ORDER BY \(?([^)\n]*)\)?/.exec(sql.slice(sql.indexOf(') ENGINE')))?.[1] ?? ''
  const columns = withAlterations(joinContinuations(body), alterationsOf(name, files)).map(columnRow)
  return [
    `## ${name}`,
    '',
    ...header,
    '',
    '| column | type | meaning |',
    '| --- | --- | --- |',
    ...columns.filter((row) => row !== null),
    '',
    `Sorted by \`${order}\`.`,
    '',
  ]
}

/** The column texts of later files that add to a table or change it. */
function alterationsOf(table: string, files: readonly SchemaFile[]): readonly string[] {
  return files
    .filter(({ sql }) => sql.includes(`ALTER TABLE {table:${table}}`))
    .flatMap(({ sql }) => [...sql.matchAll(/^ {2}(?:ADD COLUMN IF NOT EXISTS|MODIFY COLUMN) (.*)$/gm)])
    .map((match) => match[1] ?? '')
}

/** A changed column takes the place it had; a new one comes last. */
function withAlterations(columns: readonly string[], alterations: readonly string[]): readonly string[] {
  const byName = new Map([...columns, ...alterations].map((text) => [/^\w+/.exec(text)?.[0] ?? '', text]))
  return [...byName.values()]
}

/** One text per column: an enum may run over two lines. */
function joinContinuations(body: string): readonly string[] {
  const columns: string[] = []
  for (const line of body.split('\n').filter((text) => text.trim() !== '')) {
    if (/^ {2}\S/.test(line)) columns.push(line.trim())
    else columns.push(`${columns.pop() ?? ''} ${line.trim()}`)
  }
  return columns
}

function columnRow(text: string): string | null {
  const [definition = '', comment = ''] = text.split(/\s+--\s+/)
  const match = /^(\w+) (.*)$/.exec(definition.replace(/,\s*$/, ''))
  if (match === null || match[1] === 'INDEX') return null
  const type = (match[2] ?? '').replace(/ CODEC\(.*$/, '').replace(/ DEFAULT .*$/, '')
  return `| ${match[1]} | \`${type.replaceAll('|', '\\|')}\` | ${comment.replaceAll('|', '\\|')} |`
}
