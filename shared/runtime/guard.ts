import { type ChildProcess, spawn } from 'node:child_process'
import { isRunning, type ProcessName, processStart } from './process-start.ts'

/**
 * Runs in a shell: 1 MB of memory, and nothing of ours that could hang. It reads which processes to watch until the end of its
 * input, which comes when the process that holds the other end is gone, however it went. What then still runs after the time of
 * grace is killed. A number alone is never trusted: the time of the start must be the same.
 */
const script = `
start_of() {
  if [ -d /proc/self ]; then
    { read -r stat < "/proc/$1/stat"; } 2>/dev/null || return 0
    set -- \${stat##*) }
    case $1 in Z|X) ;; *) echo "\${20}" ;; esac
  else
    set -- $(ps -o lstart= -p "$1" 2>/dev/null)
    IFS=_; echo "$*"; IFS=' '
  fi
}
still_run() {
  left=
  for each in $list; do
    [ "$(start_of "\${each%%=*}")" = "\${each#*=}" ] && left="$left $each"
  done
  list=$left
  [ -n "$list" ]
}
list=
while read -r action pid start; do
  case $action in
    +) list="$list $pid=$start" ;;
    -) left=
       for each in $list; do [ "\${each%%=*}" = "$pid" ] || left="$left $each"; done
       list=$left ;;
  esac
done
deadline=$(( $(date +%s) + $1 ))
while still_run && [ "$(date +%s)" -lt "$deadline" ]; do sleep 0.2 || sleep 1; done
for each in $list; do
  kill -KILL "-\${each%%=*}" || kill -KILL "\${each%%=*}"
done 2>/dev/null
`

/** Somebody killed the shell; where it cannot live at all, it is not tried without end at full speed. */
const restartMs = 500

/**
 * Sees to it that processes end with this one, even when it is killed by SIGKILL and they hang: a process whose event loop stands,
 * or one that is stopped, cannot notice that its parent is gone.
 */
export class Guard implements Disposable {
  readonly #graceSeconds: number
  readonly #watched = new Map<number, ProcessName>()
  #shell: ChildProcess | null = null
  #isDisposed = false

  /** So long a process may take to end by itself once this one is gone. */
  constructor(graceSeconds: number) {
    this.#graceSeconds = graceSeconds
  }

  /** Begins to watch a child that was just started; returns the way to end that, for when it has exited. */
  watch(pid: number | undefined): () => void {
    if (pid === undefined) return () => {}
    const name = { pid, start: processStart(pid) }
    this.#watched.set(pid, name)
    if (this.#shell === null) this.#startShell()
    else this.#tell('+', name)
    return () => {
      if (this.#watched.get(pid) !== name) return
      this.#watched.delete(pid)
      this.#tell('-', name)
    }
  }

  /** Kills at once what is watched and still runs. Synchronous, for the last moment of this process. */
  killAll(): void {
    for (const name of this.#watched.values()) if (isRunning(name)) killWithGroup(name.pid)
  }

  #startShell(): void {
    // A session of its own: neither Ctrl-C nor a closed terminal reaches it.
    const shell = spawn('sh', ['-c', script, 'strikeflow-guard', String(this.#graceSeconds)], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    this.#shell = shell
    // Where there is no shell nothing is guarded; the next start ends what was left on the NATS store.
    shell.once('error', () => {})
    shell.stdin?.on('error', () => {})
    shell.once('exit', () => {
      setTimeout(() => {
        if (!this.#isDisposed) this.#startShell()
      }, restartMs).unref()
    })
    shell.unref()
    if (shell.stdin !== null && 'unref' in shell.stdin) (shell.stdin as { unref(): void }).unref()
    for (const name of this.#watched.values()) this.#tell('+', name)
  }

  #tell(action: '+' | '-', { pid, start }: ProcessName): void {
    if (start !== null) this.#shell?.stdin?.write(`${action} ${pid} ${startHere(start)}\n`)
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#shell?.kill('SIGKILL')
  }
}

/** The shell lives no longer than the machine's boot, which is the first part on Linux. */
const startHere = (start: string): string => (process.platform === 'linux' ? (start.split(':')[1] ?? '') : start)

/** The group first: services lead one of their own. */
function killWithGroup(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL')
      return
    } catch {
      // No such group, or gone meanwhile.
    }
  }
}
