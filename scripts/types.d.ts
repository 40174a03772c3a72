// The names that scripts share without importing them, for the type checker only.

import type * as client from "oidc-client-ts";

declare global {
  // The browser build of oidc-client-ts, loaded by a plain <script>, puts itself here.
  // It is undefined when that file is missing (see static/demo/lib/texts.js, library_missing).
  var oidc: typeof client | undefined;
}
