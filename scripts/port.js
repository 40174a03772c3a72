import { once } from "node:events";
import { createServer } from "node:net";

/** A TCP port of 127.0.0.1 on which nothing listened a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error(`a TCP server has no port: ${address}`);
  return address.port;
}

/**
 * What to do about ports of 127.0.0.1 that other programs use; empty if all are free.
 * @param {Record<string, number>} ports what needs each port, in words
 */
export async function complaint(ports) {
  const lines = [];
  for (const [who, port] of Object.entries(ports)) {
    if (await isFree(port)) continue;
    lines.push(`Port ${port} is in use, and ${who} needs it: end the program there (lsof -i :${port} names it).`);
  }
  return lines.join("\n");
}

/**
 * Tells whether a program may listen at a port of 127.0.0.1.
 * @param {number} port
 */
async function isFree(port) {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
