/** The reading half of a store: services that only read depend on this. */
export interface Query {
  /** Runs a SELECT with bound parameters (`{name:Type}`); rows come as JSON objects, missing as null. */
  rows<T>(sql: string, params?: Record<string, unknown>): Promise<T[]>
}
