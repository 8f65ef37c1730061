/** True for the error of a file system, or of the user's share of it, that has no room left: it passes by itself once there is some. */
export function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}
