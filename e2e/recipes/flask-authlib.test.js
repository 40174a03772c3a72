import { file } from "./harness/provider.js";
import { python } from "./harness/python.js";
import { serverApp } from "./harness/serverapp.js";
import { startBoth } from "./harness/start.js";

const flask = ["-m", "flask", "--app", file("flask-authlib/app.py"), "run", "--port", "PORT"];
const start = () => startBoth("flask-authlib", python, flask);

serverApp("flask-authlib", start, {
  mistake: {
    is: "a browser at 127.0.0.1 instead of localhost",
    start: async () => {
      const started = await start();
      return { ...started, origin: started.origin.replace("localhost", "127.0.0.1") };
    },
    reason: "redirect.unregistered",
  },
});
