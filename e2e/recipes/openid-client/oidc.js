import * as client from "openid-client";

const issuer = new URL(process.env.ISSUER ?? "http://localhost:8080");
const insecure = { execute: [client.allowInsecureRequests] }; // http, for a provider on this machine only

export const origin = `http://localhost:${process.env.PORT ?? 3000}`;
export const scope = "openid profile offline_access";
export const config = await client.discovery(issuer, "openid-client", "openid-client-secret", undefined, insecure);
