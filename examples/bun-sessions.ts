// A web server in Bun that keeps its visitors' sessions in shared memory: start it as often as you like (Bun lets
// several processes listen on one port) and every process knows every session.
//
//   PORT=3000 bun examples/bun-sessions.ts
//   curl -i -b cookies -c cookies http://127.0.0.1:3000/

import { FastCache } from "fastcache";

interface Session {
  visits: number;
  since: string;
}

const SESSION_TTL_MS = 30 * 60_000;

const sessions = FastCache.open({ name: "example-sessions", size: "16MB", ttl: SESSION_TTL_MS });

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 3000),
  reusePort: true,
  fetch(request) {
    const id = new Bun.CookieMap(request.headers.get("cookie") ?? "").get("session") ?? crypto.randomUUID();
    const known = sessions.get(id) as Session | undefined;
    const session = { visits: (known?.visits ?? 0) + 1, since: known?.since ?? new Date().toISOString() };
    sessions.set(id, session);
    return Response.json(session, {
      headers: { "set-cookie": `session=${id}; HttpOnly; SameSite=Lax; Path=/` },
    });
  },
});
console.log(`listening on ${server.url}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await server.stop();
    sessions.close();
  });
}
