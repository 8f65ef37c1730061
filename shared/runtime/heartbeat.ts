/** What a service sends over its channel to the supervisor whenever its event loop has turned. */
export const heartbeat = 'heartbeat'
export const heartbeatMs = 1_000

/**
 * Tells a supervisor, over the channel to it, that the event loop of this process turns. A loop that stands sends nothing. Returns
 * the way to end that; does nothing where there is no supervisor.
 */
export function sendHeartbeats(): () => void {
  // One at a time: a supervisor that is stopped reads none, and they must not pile up here.
  let isUnderWay = false
  const beat = (): void => {
    if (isUnderWay || !process.connected) return
    isUnderWay = true
    process.send?.(heartbeat, () => {
      isUnderWay = false
    })
  }
  beat()
  const timer = setInterval(beat, heartbeatMs)
  timer.unref()
  return () => clearInterval(timer)
}
