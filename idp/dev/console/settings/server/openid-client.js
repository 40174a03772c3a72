// docs/recipes/openid-client.md has the rest of the application.

import * as client from "openid-client";

const issuer = new URL(process.env.ISSUER ?? "{issuer}");
const insecure = { execute: [client.allowInsecureRequests] }; // http, for a provider on this machine only

export const origin = `http://localhost:${process.env.PORT ?? {port}}`;
export const scope = "openid profile offline_access";
export const config = await client.discovery(issuer, "{client_id}", "{client_secret}", undefined, insecure);
