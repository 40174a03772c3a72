// The userinfo endpoint, as something that takes access tokens (RFC 6750, RFC 9449 §7).

export class Userinfo {
  /** @param {string} issuer */
  constructor(issuer) {
    this.address = `${issuer}/userinfo`;
  }

  /** @param {string} token @returns {Promise<number>} the status */
  asBearer(token) {
    return this.#ask({ authorization: `Bearer ${token}` });
  }

  /** @param {string} token @param {string} proof @returns {Promise<number>} the status */
  withProof(token, proof) {
    return this.#ask({ authorization: `DPoP ${token}`, dpop: proof });
  }

  /** @param {Record<string, string>} headers */
  async #ask(headers) {
    return (await fetch(this.address, { headers })).status;
  }
}
