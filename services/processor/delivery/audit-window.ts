/** The commit rows of so long before a partition's newest are compared with the tables at every taking: a power cut may have left them alone. */
export const auditWindowMs = 15 * 60_000
