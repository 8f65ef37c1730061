/**
 * Flags of node under the embedded ClickHouse. A body arrives in pieces of 64 KiB that the collector knows as a few bytes each:
 * with its usual young generation it lets hundreds of megabytes of them gather and then marks the whole heap, over and over,
 * which takes a third of the receiving.
 */
export const nodeFlags = ['--max-semi-space-size=1'] as const
