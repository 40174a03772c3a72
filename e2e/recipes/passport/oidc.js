import * as client from "openid-client";
import { Strategy } from "openid-client/passport";
import passport from "passport";

const issuer = new URL(process.env.ISSUER ?? "http://localhost:8080");
const insecure = { execute: [client.allowInsecureRequests] }; // http, for a provider on this machine only

export const origin = `http://localhost:${process.env.PORT ?? 3000}`;
export const config = await client.discovery(issuer, "passport", "passport-secret", undefined, insecure);

const options = { name: "hush", config, callbackURL: `${origin}/callback`, scope: "openid profile offline_access" };
passport.use(new Strategy(options, (tokens, done) => done(null, { tokens, name: tokens.claims().name })));
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));
