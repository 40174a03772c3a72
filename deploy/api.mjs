// An API that asks the provider about each access token (RFC 7662 would be the same; userinfo needs no secret).
import { createServer } from "node:http";

const { DISCOVERY = "http://localhost:8080/.well-known/openid-configuration", PORT = "3000" } = process.env;
const { issuer, userinfo_endpoint: userinfo } = await (await fetch(DISCOVERY)).json();

const server = createServer(async (request, response) => {
  if (request.url === "/healthz") return response.end("ok");
  const { authorization = "" } = request.headers;
  const asked = await fetch(userinfo, { headers: { authorization } });
  response.writeHead(asked.ok ? 200 : 401, { "content-type": "application/json" });
  response.end(JSON.stringify(asked.ok ? { issuer, hello: (await asked.json()).sub } : { error: "invalid_token" }));
});
server.listen(Number(PORT), () => console.log(`the API listens at port ${PORT}`));
