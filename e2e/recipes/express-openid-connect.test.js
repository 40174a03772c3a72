import { file } from "./harness/provider.js";
import { serverApp } from "./harness/serverapp.js";
import { changed, startBoth } from "./harness/start.js";

const name = "express-openid-connect";
/** @param {string} app */
const start = (app) => startBoth(name, process.execPath, [app]);

serverApp(name, () => start(file(`${name}/app.js`)), {
  mistake: {
    is: "no response_type",
    start: async () => {
      const { copy, remove } = await changed(`${name}/app.js`, ' response_type: "code",', "");
      return start(copy).finally(remove);
    },
    reason: "request.malformed",
  },
});
