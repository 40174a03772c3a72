import { begin, finish, logoutAddress, renew } from "./auth.js";

const element = (id) => document.getElementById(id);
let tokens;
const show = (got) => {
  tokens = got;
  element("name").textContent = tokens.user.name;
  element("token").textContent = tokens.access_token.slice(-8);
};
const say = (error) => {
  element("error").textContent = error.error_description ?? error.message;
};

async function start() {
  element("sign-in").onclick = async () => {
    const { address, kept } = await begin();
    sessionStorage.setItem("kept", JSON.stringify(kept));
    location.assign(address);
  };
  element("renew").onclick = () => renew(tokens.id_token).then(show, say);
  element("sign-out").onclick = () => location.assign(logoutAddress(tokens.id_token));
  if (location.pathname !== "/callback") return;
  await finish(location.href, JSON.parse(sessionStorage.getItem("kept"))).then(show, say);
  sessionStorage.removeItem("kept");
  history.replaceState({}, "", "/");
}

if (window.self === window.top) await start();
else parent.postMessage(location.href, location.origin); // in the hidden iframe
