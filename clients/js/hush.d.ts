export type Json = Record<string, any>;
/** @typedef {Record<string, any>} Json the members are those of /console/openapi.json */
/** The answer of the provider, or of its authorization endpoint, was an error. */
export declare class HushError extends Error {
    /** The error code, such as login_required; "" if the answer has none. */
    error: string;
    /** The HTTP status; 0 if the error came in a redirect. */
    status: number;
    /** @param {string} message @param {{ error?: string, status?: number }} [details] */
    constructor(message: string, { error, status }?: {
        error?: string;
        status?: number;
    });
}
/** A provider. */
export declare class Hush {
    #private;
    issuer: string;
    /** A provider that runs already, in a container for example. @param {string} issuer such as http://localhost:8080 */
    constructor(issuer: string);
    /**
     * Starts a provider on a free port of this machine, with its data in memory. It signs with ES256, whose key is made at once.
     * The HUSH_ variables of the shell have no effect on it.
     * @param {object} [options]
     * @param {string} [options.command] the program; default: $HUSH_IDP, or else idp in PATH
     * @param {string[]} [options.args] more flags
     * @param {Json} [options.config] what a configuration file would hold (docs/configuration.md)
     * @param {number} [options.timeout] milliseconds until the start fails
     */
    static start({ command, args, config, timeout }?: {
        command?: string;
        args?: string[];
        config?: Json;
        timeout?: number;
    }): Promise<Hush>;
    /** Ends the provider that start began. */
    stop(): Promise<void>;
    /**
     * Calls any address of the API.
     * @param {string} method
     * @param {string} path such as /console/clock
     * @param {Json} [body]
     * @returns {Promise<any>} the JSON of the answer, or undefined if it has none
     */
    call(method: string, path: string, body?: Json): Promise<any>;
    /** Adds or replaces a user. @param {string} username @param {Json} [user] such as { claims: { name: "Dana" } } */
    putUser(username: string, user?: Json): Promise<any>;
    /** Adds or replaces a client. @param {string} id @param {Json} client such as { redirect_uris: ["http://localhost:5173/"] } */
    putClient(id: string, client: Json): Promise<any>;
    /** Makes all tokens. @param {Json} want such as { user: "dana", client: "spa", scope: "openid email", expired: true } */
    tokens(want: Json): Promise<any>;
    /** Signs a user in without a page. @param {string} user @param {Json} [more] such as { acr: "2" } */
    signIn(user: string, more?: Json): Promise<Session>;
    /** Makes the provider fail on purpose. @param {Json} fault such as { fault: "session_expired", client: "spa" } */
    fail(fault: Json): Promise<any>;
    /** Moves or freezes the clock. @param {Json} move such as { forward: "10m" } or { at: "2030-01-01T00:00:00Z" } */
    clock(move: Json): Promise<any>;
    /** The flows that fit, newest first. @param {Record<string, string>} [which] such as { client: "spa", outcome: "failed", wait: "10s" } */
    flows(which?: Record<string, string>): Promise<any>;
    /** Undoes all changes, and ends all sessions and tokens: the next test begins anew. */
    reset(): Promise<any>;
}
/** A signed-in browser, by its cookies. */
export declare class Session {
    hush: Hush;
    /** As Playwright's context.addCookies and WebDriver take them. */
    cookies: Json[];
    /** @param {Hush} hush @param {Json[]} cookies */
    constructor(hush: Hush, cookies: Json[]);
    /**
     * Does what a hidden iframe does: it asks with prompt=none and PKCE, and exchanges the code for tokens. A public client has
     * no secret.
     * @param {{ client: string, redirectUri: string, scope?: string }} request
     * @returns {Promise<Json>} the answer of the token endpoint
     * @throws {HushError} with the error code of the provider, such as login_required
     */
    renew({ client, redirectUri, scope }: {
        client: string;
        redirectUri: string;
        scope?: string;
    }): Promise<Json>;
}
