/**
 * nginx as the least a hop can cost: it passes requests on and understands nothing of them. Everything it writes
 * lies in a temporary folder, and it runs in the foreground as a child, so nothing outlives the bench.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Nginx extends AsyncDisposable {
  /** Replaces the upstream's scheme, host and port; the path stays. */
  origin: string
  /** As it names itself: `nginx/1.22.1`. */
  version: string
}

const program = 'nginx'

/** Starts nginx before this port of the loopback; answers undefined where it is not installed. */
export async function startNginx(upstreamPort: number, signal: AbortSignal): Promise<Nginx | undefined> {
  const version = installedVersion()
  if (version === undefined) return undefined
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'gesso-bench-nginx-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  mkdirSync(join(folder, 'temp'))
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration({ folder, port, upstreamPort }))

  const child = spawn(program, ['-p', folder, '-c', file, '-e', join(folder, 'error.log')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(child, 'exit')
  stack.defer(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const origin = `http://127.0.0.1:${port}`
  for (const deadlineMs = performance.now() + 5_000; !(await answers(origin)); ) {
    signal.throwIfAborted()
    if (child.exitCode !== null || performance.now() > deadlineMs) throw new Error('nginx did not start')
    await sleep(20)
  }
  const owned = stack.move()
  return { origin, version, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Buffering stays as nginx ships it; connections are kept on both sides, as Gesso keeps them. */
function configuration({
  folder,
  port,
  upstreamPort,
}: Record<'port' | 'upstreamPort', number> & { folder: string }) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${join(folder, 'temp', kind)};`)
    .join('\n')
  // As root nginx would hand its worker to a user who cannot look into the temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;\n' : ''
  return `${user}daemon off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
events { worker_connections 1024; }
http {
  access_log off;
${temporary}
  # Above what a run can reach: the load generator counts wrongly once its connection is closed.
  keepalive_requests 100000000;
  upstream provider {
    server 127.0.0.1:${upstreamPort};
    keepalive 32;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`
}

/** nginx says it on stderr. */
function installedVersion(): string | undefined {
  const { stderr } = spawnSync(program, ['-v'], { encoding: 'utf8' })
  return /nginx\/[\d.]+/.exec(stderr ?? '')?.[0]
}

/** nginx cannot pick a port itself. Somebody else may take it in between; then nginx does not start. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answers(origin: string): Promise<boolean> {
  try {
    const response = await fetch(`${origin}/small/v1/images/generations`, { method: 'POST', body: '{}' })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
