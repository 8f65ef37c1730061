import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

export const browserNames = ['chromium', 'firefox-esr'] as const
export type BrowserName = (typeof browserNames)[number]

/** Path of a browser's program; null where it is not installed. */
export function findBrowser(name: BrowserName): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not in this folder.
    }
  }
  return null
}

export interface OpenBrowser extends AsyncDisposable {
  /** What it wrote to the terminal, for a test that waits in vain. */
  output(): string
}

/**
 * Opens a page in a headless browser with a profile of its own. Host names go through the proxy; addresses of loopback and
 * localhost are called directly, as the browser does by itself.
 */
export function openInBrowser(name: BrowserName, path: string, url: string, proxyPort: number): OpenBrowser {
  const profile = mkdtempSync(join(tmpdir(), 'strikeflow-browser-'))
  const args = name === 'chromium' ? chromiumArgs(profile, proxyPort) : firefoxArgs(profile, proxyPort)
  // A group of its own: a browser is many processes.
  const child = spawn(path, [...args, url], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: profile, MOZ_HEADLESS: '1' },
  })
  let output = ''
  child.stdout.on('data', (text: Buffer) => void (output += text.toString()))
  child.stderr.on('data', (text: Buffer) => void (output += text.toString()))
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    output: () => output,
    async [Symbol.asyncDispose]() {
      endGroup(child)
      await closed
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    },
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // Ended by itself.
  }
}

const chromiumArgs = (profile: string, proxyPort: number): readonly string[] => [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  `--user-data-dir=${profile}`,
  `--proxy-server=http://127.0.0.1:${proxyPort}`,
]

function firefoxArgs(profile: string, proxyPort: number): readonly string[] {
  const preferences = {
    'network.proxy.type': 1,
    'network.proxy.http': '127.0.0.1',
    'network.proxy.http_port': proxyPort,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'browser.shell.checkDefaultBrowser': false,
    'browser.aboutwelcome.enabled': false,
    'app.update.disabledForTesting': true,
    'toolkit.telemetry.reportingpolicy.firstRun': false,
    'dom.disable_open_during_load': false,
  }
  const lines = Object.entries(preferences).map(([key, value]) => `user_pref("${key}", ${JSON.stringify(value)});`)
  writeFileSync(join(profile, 'user.js'), lines.join('\n'))
  return ['--headless', '--no-remote', '--profile', profile]
}
