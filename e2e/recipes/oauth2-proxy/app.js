// An app behind oauth2-proxy. The proxy passes on only requests of signed-in users, and has verified the ID token.

import { createServer } from "node:http";

const issuer = process.env.ISSUER ?? "http://localhost:8080";

createServer((request, response) => {
  const [, idToken] = (request.headers.authorization ?? "").split(" ");
  if (!idToken) return response.end("Only the proxy has something to ask here.");
  if (request.url === "/logout") {
    const back = `http://${request.headers.host}/`;
    const query = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: back });
    const rd = encodeURIComponent(`${issuer}/logout?${query}`);
    return response.writeHead(303, { location: `/oauth2/sign_out?rd=${rd}` }).end();
  }
  const { name } = JSON.parse(Buffer.from(idToken.split(".")[1], "base64url").toString());
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`Hello, ${name}: /logout`);
}).listen(process.env.PORT ?? 3001, "127.0.0.1");
