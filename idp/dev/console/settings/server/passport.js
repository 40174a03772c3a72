// docs/recipes/passport.md has the rest of the application.

import * as client from "openid-client";
import { Strategy } from "openid-client/passport";
import passport from "passport";

const issuer = new URL(process.env.ISSUER ?? "{issuer}");
const insecure = { execute: [client.allowInsecureRequests] }; // http, for a provider on this machine only

export const origin = `http://localhost:${process.env.PORT ?? {port}}`;
export const config = await client.discovery(issuer, "{client_id}", "{client_secret}", undefined, insecure);

const options = { name: "hush", config, callbackURL: `${origin}{redirect_path}`, scope: "openid profile offline_access" };
passport.use(new Strategy(options, (tokens, done) => done(null, { tokens, name: tokens.claims().name })));
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));
