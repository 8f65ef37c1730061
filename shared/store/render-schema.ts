export type Deployment = 'single' | 'cluster'

/**
 * Renders one schema template for a deployment: `{table:NAME}`, `{engine:ENGINE(ARGS)}` and `{on_cluster}`.
 * One text serves the embedded engine and a single server alike; a cluster gets Replicated engines on every node, by the
 * server's own macro and default replica path.
 */
export function renderSchema(template: string, deployment: Deployment): string {
  const cluster = deployment === 'cluster'
  return template
    .replaceAll(/\{table:(\w+)\}/g, '$1')
    .replaceAll(/\{engine:(\w+)(\([^}]*\))?\}/g, (_, name: string, args = '') =>
      cluster ? `Replicated${name}${args}` : `${name}${args}`,
    )
    .replaceAll(/\s*\{on_cluster\}/g, cluster ? " ON CLUSTER '{cluster}'" : '')
}
