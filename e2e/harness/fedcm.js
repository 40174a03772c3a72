// Sign-in by FedCM: what a person does in the browser's own dialogs, by the domain FedCm of Chromium's protocol.
// https://chromedevtools.github.io/devtools-protocol/tot/FedCm/

import { pkce } from "./request.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./hush.js").Hush} Hush */
/** @typedef {import("puppeteer-core").Protocol.FedCm.DialogShownEvent} Dialog */

/**
 * How navigator.credentials.get ended: with a token, which is a code, or with an error.
 * @typedef {{ token?: string, automatic?: boolean, name?: string, message?: string, error?: string, url?: string }} Ended
 */

/**
 * A request of an app, as far as it differs from a good one. With mediation: "optional", the default of the API, the
 * browser may sign in a known user by itself.
 * @typedef {{ clientId?: string, params?: object, provider?: object, mediation?: "required" | "silent" }} Change
 */

/** The dialogs of a page. */
export class Dialogs {
  /** @type {import("puppeteer-core").CDPSession} */
  #session;
  /** @type {Dialog[]} */
  #shown = [];
  /** @type {((dialog: Dialog) => void)[]} */
  #waiting = [];

  /** @param {import("puppeteer-core").CDPSession} session */
  constructor(session) {
    this.#session = session;
    session.on("FedCm.dialogShown", (dialog) => {
      const next = this.#waiting.shift();
      if (next) next(dialog);
      else this.#shown.push(dialog);
    });
  }

  /** Begins to watch the dialogs of the page, which then show without a delay. @param {Page} page */
  static async of(page) {
    const session = await page.createCDPSession();
    await session.send("FedCm.enable", { disableRejectionDelay: true });
    return new Dialogs(session);
  }

  /** Waits for the next dialog, for 30 seconds. @returns {Promise<Dialog>} */
  next() {
    const dialog = this.#shown.shift();
    if (dialog) return Promise.resolve(dialog);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the browser showed no dialog of FedCM in 30 seconds")), 30_000);
      this.#waiting.push((shown) => {
        clearTimeout(timer);
        resolve(shown);
      });
    });
  }

  /** Chooses the account with this id in the next dialog, and returns the dialog. @param {string} accountId */
  async choose(accountId) {
    const dialog = await this.next();
    const accountIndex = dialog.accounts.findIndex((account) => account.accountId === accountId);
    if (accountIndex < 0)
      throw new Error(`${dialog.dialogType} does not offer ${accountId}: ${JSON.stringify(dialog)}`);
    await this.#session.send("FedCm.selectAccount", { dialogId: dialog.dialogId, accountIndex });
    return dialog;
  }

  /** Closes the next dialog without a choice. */
  async dismiss() {
    const { dialogId } = await this.next();
    await this.#session.send("FedCm.dismissDialog", { dialogId });
  }

  /**
   * Presses a button of the next dialog.
   * @param {"ConfirmIdpLoginContinue" | "ErrorGotIt"} dialogButton
   */
  async press(dialogButton) {
    const { dialogId } = await this.next();
    await this.#session.send("FedCm.clickDialogButton", { dialogId, dialogButton });
  }
}

/**
 * The app asks the browser for a sign-in. The promise ends when the app has its answer.
 * @param {Page} page of the app
 * @param {Hush} hush
 * @param {Change} [change]
 * @returns {Promise<Ended>}
 */
export function signInByFedCM(page, hush, change = {}) {
  const { clientId = "spa", params = {}, provider = {}, mediation = "required" } = change;
  const asked = {
    redirect_uri: `${hush.app}/spa/callback.html`,
    scope: "openid",
    nonce: "n-0S6_WzA2Mj",
    code_challenge: pkce.challenge,
    code_challenge_method: "S256",
    ...params,
  };
  const configURL = `${hush.issuer}/fedcm/config.json`;
  const identity = { providers: [{ configURL, clientId, params: asked, ...provider }] };
  return page.evaluate(
    async (request) => {
      try {
        const credential = /** @type {any} */ (await navigator.credentials.get(/** @type {any} */ (request)));
        return { token: credential.token, automatic: credential.isAutoSelected };
      } catch (failure) {
        const { name, message, error, url } = /** @type {any} */ (failure);
        return { name, message, error, url };
      }
    },
    { mediation, identity },
  );
}
