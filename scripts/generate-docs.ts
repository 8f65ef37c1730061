import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { renderFeaturesDoc } from './features-doc.ts'
import { parseExample, renderTablesDoc } from './tables-doc.ts'

const root = new URL('..', import.meta.url)

/** Everything in a folder that ends so, in order of name. */
const read = (folder: string, ending: string): readonly { readonly name: string; readonly sql: string }[] =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => ({ name, sql: readFileSync(new URL(`${folder}/${name}`, root), 'utf8') }))

/** The generated pages: path and text. */
export const generatedDocs = (): readonly { readonly path: string; readonly text: string }[] => [
  {
    path: 'docs/tables.md',
    text: renderTablesDoc(
      read('shared/store/schema', '.sql'),
      read('docs/example-queries', '.sql').map(({ sql }) => parseExample(sql)),
    ),
  },
  { path: 'docs/features.md', text: renderFeaturesDoc() },
]

if (import.meta.main) {
  for (const { path, text } of generatedDocs()) writeFileSync(new URL(path, root), text)
}
