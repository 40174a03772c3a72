// What `make demo` says about a port that another program uses, and when it says it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import test from "node:test";
import { complaint, freePort } from "../scripts/port.js";
import { root } from "../scripts/program.js";

test("a port that is in use is named, with the program that needs it", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const said = await complaint({ "the provider": address.port, "the app": await freePort() });
  assert.match(
    said,
    new RegExp(`^Port ${address.port} is in use, and the provider needs it: end the program there.*$`),
  );
});

test("nothing is said about free ports", async () => {
  assert.equal(await complaint({ "the provider": await freePort() }), "");
});

test("make demo checks the ports before it builds", async () => {
  const makefile = await readFile(new URL("Makefile", root), "utf8");
  assert.match(makefile, /^demo: ports build /m);
  assert.match(makefile, /^ports:\n\t@node scripts\/demo.js --check$/m);
});
